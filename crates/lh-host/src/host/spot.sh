#!/bin/bash
# Waits for AWS to take the spot instance back (two minutes' notice) and stops
# PostgreSQL cleanly, so that the next boot starts without recovery.
. /usr/local/lib/lhctl-host.sh
# For tests only: where the instance's metadata answer, seconds between questions.
imds=${LHCTL_IMDS:-http://169.254.169.254}/latest
while :; do
  token=$(curl -sf -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$imds/api/token") || token=
  # 404 until there is a notice.
  if notice=$(curl -sf -m 2 -H "X-aws-ec2-metadata-token: $token" "$imds/meta-data/spot/instance-action"); then
    say "spot interruption: $notice"
    # What is written now need not be written while the clock runs.
    timeout 30 docker exec timescaledb psql -XqU postgres -c CHECKPOINT || true
    touch "$RUN/interrupted"
    docker stop -t 60 timescaledb
    sync
    say "PostgreSQL is stopped"
    exit
  fi
  sleep "${LHCTL_POLL:-5}"
done
