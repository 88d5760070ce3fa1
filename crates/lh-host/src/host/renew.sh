# Brings what surrounds the database to what the stack file says, while it serves. Again, it changes
# only what is different; cut off anywhere, it is simply run again.
set -euo pipefail
conf=/etc/lhctl/host.conf
if [ ! -f "$conf" ]; then
  echo "cloud-init has not set this host up yet" >&2
  exit 75
fi
mkdir -p /run/lhctl
chmod 700 /run/lhctl
base64 -d <<'END' | gzip -d >/run/lhctl/install
@PACKED@
END
bash /run/lhctl/install </dev/null
rm /run/lhctl/install
{
  grep -Ev '^(@KEYS@)=' "$conf"
  cat <<'LHCTL_END_OF_FILE'
@SETTINGS@
LHCTL_END_OF_FILE
} >"$conf.new"
if cmp -s "$conf.new" "$conf"; then rm "$conf.new"; else mv "$conf.new" "$conf"; fi
/usr/local/sbin/lhctl-host-setup online </dev/null >>/var/log/lhctl-host.log 2>&1 || {
  cat /run/lhctl/error >&2 2>/dev/null || tail -n 1 /var/log/lhctl-host.log >&2
  exit 1
}
