# Restores the latest dump into a scratch database, compares its rows, drops it, and notes the
# result on the volume: a backup counts when it was restored, not when it exists.
scratch=lhctl_drill
# When a drill last passed, by the record of the last one; empty if none is known to have.
passed_before() {
  local record=$dir/last-drill.json key=last_passed
  ! grep -q '^{"result":"passed"' "$record" 2>/dev/null || key="at"
  sed -n "s/.*\"$key\":\([0-9]*\).*/\1/p" "$record" 2>/dev/null || true
}
record() {
  local seconds=$((SECONDS - began)) new=$dir/.last-drill.json now passed
  now=$(date -u +%s)
  passed=$now
  [ "$1" = passed ] || passed=$(passed_before)
  result="{\"result\":\"$1\",\"reason\":$(text <<<"$2"),\"backup\":$(text <<<"$NAME"),\"from\":\"${where:-}\",\
\"at\":$now,\"last_passed\":${passed:-null},\"age_seconds\":$((now - ${taken:-$now})),\"seconds\":$seconds,\
\"bytes\":${bytes:-0},\"tables\":${counted% *},\"rows\":${counted#* },\"compared\":$([ -n "${rows:-}" ] && echo true || echo false),\
\"timescaledb\":$(text <<<"${extension:-}")}"
  echo "$result" >"$new" && sync "$new" && mv "$new" "$dir/last-drill.json"
}
# That a run was interrupted, or had no dump, says nothing of the dumps that there are: the last
# result stays.
failed() {
  local why
  # The statuses of `guard`.
  case $without$1 in 129 | 130 | 143 | without*) return ;; esac
  why=$(cat "$RUN/error" 2>/dev/null || echo "it ended with the status $1")
  why=${why#refused: }
  record failed "${why%. Nothing was changed}"
}

began=$SECONDS
without=
counted="0 0"
rm -f "$RUN/error"
[ -n "$FROM" ] || FROM=${BUCKET:+bucket}
FROM=${FROM:-disk}
[ "$FROM" != bucket ] || [ -n "$BUCKET" ] || die 5 "$no_bucket"
mkdir -p "$dir"
guard
newest_dump
[ -n "$NAME" ] || {
  without=without
  die 1 "there is no dump of $DATABASE on the $FROM: make one with \`lhctl db backup STACK\`"
}
find_dump
look
refuse_misfits
fetch
load
drop_scratch
loading=
log "the drill passed: $NAME restores"
record passed ""
echo "$result"
