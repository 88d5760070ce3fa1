# Restores the latest dump into a scratch database, compares its rows, drops it, and notes the
# result on the volume: a backup counts when it was restored, not when it exists.
scratch=lhctl_drill
record() {
  local seconds=$((SECONDS - began)) new=$dir/.last-drill.json
  result="{\"result\":\"$1\",\"reason\":$(text <<<"$2"),\"backup\":$(text <<<"$NAME"),\"from\":\"${where:-}\",\
\"at\":$(date -u +%s),\"age_seconds\":$(($(date -u +%s) - ${taken:-$(date -u +%s)})),\"seconds\":$seconds,\
\"bytes\":${bytes:-0},\"tables\":${counted% *},\"rows\":${counted#* },\"compared\":$([ -n "${rows:-}" ] && echo true || echo false),\
\"timescaledb\":$(text <<<"${extension:-}")}"
  echo "$result" >"$new" && sync "$new" && mv "$new" "$dir/last-drill.json"
}
failed() { record failed "$(cat "$RUN/error" 2>/dev/null || echo 'it was interrupted')"; }

began=$SECONDS
counted="0 0"
rm -f "$RUN/error"
[ -n "$FROM" ] || FROM=${BUCKET:+bucket}
FROM=${FROM:-disk}
[ "$FROM" != bucket ] || [ -n "$BUCKET" ] || die 5 "refused: the stack names no bucket"
mkdir -p "$dir"
guard
newest_dump
[ -n "$NAME" ] || die 1 "there is no dump of $DATABASE on the $FROM"
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
