#!/bin/bash
# A person's terminal in the sandbox. What is typed is not mapped, unlike what scripts say.
here=${0%/*}
root=${here%/.sandbox}
cd "$root" || exit 1
echo "The host's files are in this folder; a path that begins with / is this machine's. Exit ends it." >&2
exec env -i PATH="$here/bin:$PATH" HOME="$root/root" LANG=C.UTF-8 TERM="${TERM:-dumb}" PS1='sandbox:\w\$ ' /bin/bash --norc --noprofile -i
