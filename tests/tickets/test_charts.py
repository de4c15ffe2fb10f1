"""Where marks stand."""

from __future__ import annotations

import pytest

from tickets.charts import Series, Shape, chart, heat, shares


def drawn(values, shape=Shape.BARS, **more):
    return chart("T", [str(at) for at in range(len(values))], [Series("S", values, shape)], in_words=str, **more)


@pytest.mark.parametrize(
    ("greatest", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (5, 6), (9, 10), (10, 10), (11, 20), (99, 100), (101, 200), (4001, 6000), (999_999, 1_000_000)],
)
def test_scale_when_values_grow_then_ends_at_a_round_number_above(greatest, top):
    assert drawn([0, greatest]).scale == [str(top), str(top // 2), "0"]


@pytest.mark.parametrize(("minutes", "top"), [(50, 60), (61, 120), (150, 240), (1000, 1200)])
def test_scale_when_of_minutes_then_is_of_whole_hours(minutes, top):
    assert drawn([minutes], is_time=True).scale[0] == str(top)


def test_bars_when_drawn_then_stand_in_their_slots_and_are_as_high_as_their_values():
    bars = drawn([2, 1, None, 0]).drawn[0].bars
    assert [(bar.x, bar.y, bar.width, bar.height) for bar in bars] == [(35, 0, 180, 200), (285, 100, 180, 100), (785, 200, 180, 0)]


def test_line_when_a_value_is_missing_then_has_a_gap():
    line = drawn([0, 2, None, 1], Shape.LINE).drawn[0]
    assert (line.path, line.points) == ("M125 200L375 0M875 100", "M125 200h0M375 0h0M875 100h0")


def test_summary_when_read_aloud_then_tells_the_least_and_the_most():
    assert drawn([3, 1, 8, None]).summary == "S: 1 (1) – 8 (2)."
    assert drawn([None]).summary == "S: –."


def test_chart_when_there_is_nothing_then_is_empty_and_no_error():
    empty = drawn([])
    assert (empty.slots, empty.labels, shares([]), heat([])) == ([], [], [], [])


def test_steps_and_shares_when_of_the_greatest_then_are_rounded():
    assert (shares([4, 1, None]), heat([0, 1, 50, 100])) == ([100, 25, 0], [0, 1, 3, 5])
