import django.db.models.deletion
from django.db import migrations, models


def hide_comings_of_staff(apps, schema_editor):
    """Customers read from now on who came and went; which staff did so by themselves, or by their colleagues, was never theirs to know."""
    Event, User = apps.get_model("tickets", "Event"), apps.get_model("accounts", "User")
    staff = list(User.objects.exclude(role="customer").values_list("pk", flat=True))
    came = Event.objects.filter(kind__in=("follower_added", "follower_removed"), actor__in=staff, data__person__in=staff)
    came.update(is_internal=True)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_invitations'),
        ('tickets', '0003_mail_decisions'),
    ]

    operations = [
        migrations.AddField(
            model_name='follower',
            name='through',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.organization'),
        ),
        migrations.AlterField(
            model_name='event',
            name='kind',
            field=models.CharField(choices=[('opened', 'Opened'), ('commented', 'Commented'), ('noted', 'Noted'), ('status_changed', 'Status Changed'), ('resolved', 'Resolved'), ('closed', 'Closed'), ('reopened', 'Reopened'), ('fix_confirmed', 'Fix Confirmed'), ('assigned', 'Assigned'), ('group_changed', 'Group Changed'), ('type_changed', 'Type Changed'), ('priority_changed', 'Priority Changed'), ('follower_added', 'Follower Added'), ('follower_removed', 'Follower Removed'), ('organization_added', 'Organization Added'), ('organization_removed', 'Organization Removed'), ('marked_spam', 'Marked Spam'), ('not_spam', 'Not Spam'), ('requester_changed', 'Requester Changed')], max_length=20),
        ),
        migrations.RunPython(hide_comings_of_staff, migrations.RunPython.noop),
    ]
