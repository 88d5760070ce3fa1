#!/bin/bash
# mountpoint in the sandbox: the data volume is a link to its folder, while it is attached.
for path in "$@"; do :; done
[ -L "$path" ] && [ -d "$path/" ]
