#!/bin/bash
# The AWS CLI in the sandbox: files to and from buckets, which are folders beside the hosts. It reads
# no secret: the local engine asks for no password.
here=${0%/*}
root=${here%/.sandbox/bin}
buckets=${root%/hosts/*}/buckets

fail() {
  echo "aws: $*" >&2
  exit 254
}

plain=()
for word in "$@"; do
  case $word in
    --only-show-errors | --quiet | --no-progress | --recursive) ;;
    --*) fail "the sandbox does not know $1 ${2:-} $word" ;;
    *) plain+=("$word") ;;
  esac
done

place() {
  case $1 in
    s3://*/../* | s3://*/..) fail "$1 is no key" ;;
    s3://*) echo "$buckets/${1#s3://}" ;;
    *) echo "$1" ;;
  esac
}

case "${plain[0]:-} ${plain[1]:-}" in
  's3 cp')
    from=$(place "${plain[2]}")
    to=$(place "${plain[3]}")
    case $to in */) to=$to${from##*/} ;; esac
    if [ "$to" = - ]; then
      cat "$from"
    else
      mkdir -p "${to%/*}" && cp "$from" "$to.new" && mv "$to.new" "$to"
    fi || fail "cp ${plain[2]} ${plain[3]} failed"
    ;;
  's3 ls')
    prefix=$(place "${plain[2]}")
    for file in "$prefix"*; do
      [ ! -f "$file" ] || echo "$(date -u -r "$file" '+%F %T') $(wc -c <"$file" | tr -d ' ') ${file##*/}"
    done
    ;;
  's3 rm') rm -f "$(place "${plain[2]}")" ;;
  *) fail "the sandbox does not know ${plain[*]}" ;;
esac
