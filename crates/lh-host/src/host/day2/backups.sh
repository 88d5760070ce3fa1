# Every dump on the disk and in the bucket, with its description; CHECK=1 reads the local ones and
# compares checksums. It changes nothing, and needs no database.
dir=$MNT/backups
disk=
while read -r bytes file; do
  about=null
  sum=unchecked
  if [ -f "$dir/$file.json" ]; then
    about=$(text <"$dir/$file.json")
    if [ -n "$CHECK" ]; then
      say "reading $file" >&2
      sum=bad
      ! grep -qF "\"sha256\": \"$(sha256sum <"$dir/$file" | cut -d ' ' -f 1)\"" "$dir/$file.json" || sum=good
    elif ! grep -qF "\"bytes\": $bytes," "$dir/$file.json"; then
      sum=bad
    fi
  else
    sum=missing
  fi
  disk+=",{\"name\":$(text <<<"$file"),\"bytes\":$bytes,\"checksum\":\"$sum\",\"about\":$about}"
done < <(find "$dir" -maxdepth 1 -name '*.sql.gz' ! -name '.*' -printf '%s %f\n' 2>/dev/null | sort -k2)

# The description follows its dump into the bucket: without one, a dump there is not whole.
bucket=
unread=null
if [ -n "$BUCKET" ]; then
  # 1 and no word: there is nothing.
  if listing=$(aws s3 ls "s3://$BUCKET/$STACK/" 2>&1) || [ -z "$listing" ]; then
    while read -r bytes file; do
      about=null
      ! grep -q " $file\.json$" <<<"$listing" || about=true
      bucket+=",{\"name\":$(text <<<"$file"),\"bytes\":$bytes,\"described\":$about}"
    done < <(awk '$NF ~ /\.sql\.gz$/ { print $3, $4 }' <<<"$listing")
  else
    unread=$(tail -n 1 <<<"$listing" | text)
  fi
fi
retained=$(sql -d postgres -v db="$DATABASE" 2>/dev/null <<<"SELECT coalesce(json_agg(json_build_object('name', datname, 'bytes', pg_database_size(datname),
'why', shobj_description(oid, 'pg_database'))), '[]') FROM pg_database
WHERE $KEPT") || retained=null
# Contents of files as strings: a damaged one must not damage the rest.
drill=$(text 2>/dev/null <"$dir/last-drill.json") || drill=null
echo "{\"now\":$(date -u +%s),\"bucket\":$([ -n "$BUCKET" ] && text <<<"$BUCKET" || echo null),\"bucket_unread\":$unread,\
\"on_disk\":[${disk:1}],\"in_bucket\":[${bucket:1}],\"retained\":${retained//$'\n'/ },\"last_drill\":$drill,\"drill_kept\":$([ -e "$dir/last-drill.json" ] && echo true || echo false)}"
