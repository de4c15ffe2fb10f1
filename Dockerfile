# One image for every process; docker-compose.yml says which command each runs.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    VAR_DIR=/app/var MEDIA_ROOT=/data/media

WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt

COPY . .
# Assets are part of the image; all that must be kept is below /data. DEMO here only spares this one step a SECRET_KEY.
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin helpdesk \
 && DEMO=1 python manage.py collectstatic --noinput --verbosity 0 \
 && mkdir -p /data/media /data/outbox \
 && ln -s /data/outbox /app/var/outbox \
 && chown -R helpdesk /data /app/var

USER helpdesk
VOLUME ["/data"]
EXPOSE 8000 8025
ENTRYPOINT ["/app/docker-entrypoint.sh"]
CMD ["gunicorn", "helpdesk.wsgi", "--bind", "0.0.0.0:8000"]
