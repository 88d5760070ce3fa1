#!/bin/bash
# What a sandbox has not and must not touch: packages, disks, mounts, the machine itself.
echo "${0##*/}: the sandbox of the simulated instance has no ${0##*/}" >&2
exit 127
