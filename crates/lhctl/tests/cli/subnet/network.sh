#!/usr/bin/env bash
# A private subnet on one machine. In namespaces of its own (`unshare --net --mount --pid`) there
# are two networks: outside are lhctl and an AWS that goes by AWS's own names, inside are a bastion
# and the instance, whose address nobody outside has a route to.
#
#   network.sh LHCTL MOTO_SERVER SSHD POSTGRESQL_BIN     in the folder with stacks/dev.yaml
#
# What each lhctl says is left in NAME.out, NAME.err and NAME.code.
set -euo pipefail
lhctl=$1 moto=$2 sshd=$3 bin=$4
here=$PWD
put() { cat >"$1" && if [ -n "${2:-}" ]; then mount --bind "$1" "$2"; fi; }

# run NAME ARGUMENT…
run() {
  local name=$1 code=0
  shift
  "$lhctl" "$@" </dev/null >"$name.out" 2>"$name.err" || code=$?
  echo "$code" >"$name.code"
}

networks() {
  ip link set lo up
  unshare --net sleep infinity &
  network=$!
  inside=(nsenter --net="/proc/$network/ns/net" --)
  until [ "$(readlink /proc/"$network"/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link add outside type veth peer name inside netns "$network"
  ip addr add 192.0.2.1/24 dev outside
  ip link set outside up
  "${inside[@]}" ip link set lo up
  "${inside[@]}" ip addr add 192.0.2.2/24 dev inside
  "${inside[@]}" ip link set inside up
}

# AWS's names lead here, and who answers has a certificate for them.
aws() {
  local service
  {
    echo 127.0.0.1 localhost
    for service in ec2 iam kms ssm sts tagging; do
      echo "127.0.0.1 $service.amazonaws.com $service.us-east-1.amazonaws.com"
    done
  } | put hosts /etc/hosts
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=root -keyout root.key -out root.crt
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=aws -keyout aws.key -out aws.csr
  echo 'subjectAltName=DNS:*.amazonaws.com,DNS:*.us-east-1.amazonaws.com' >aws.ext
  openssl x509 -req -in aws.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 -extfile aws.ext -out aws.crt
  mkfifo moto.log
  MOTO_IAM_LOAD_MANAGED_POLICIES=true "$moto" -H 127.0.0.1 -p 443 -c aws.crt -k aws.key >moto.log 2>&1 &
  exec 7<moto.log
  listens 7 'Running on'
  export SSL_CERT_FILE=$here/root.crt AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  export AWS_EC2_METADATA_DISABLED=true
}

# listens FD TEXT: waits for a line of a log with this text, and reads on so that it never fills.
listens() {
  local line said=
  while IFS= read -r -u "$1" line; do
    said+=$line$'\n'
    if [[ $line == *"$2"* ]]; then
      cat <&"$1" >/dev/null &
      return
    fi
  done
  echo "no \`$2\` in: $said" >&2
  return 1
}

# Who logs in as `ubuntu` is root here, and `sudo` lets everybody.
host() {
  mount -t tmpfs none /run
  mkdir -p /run/sshd home bin
  { sed "s#^\(root:.*\):/root:#\1:$here/home:#; /^\(sshd\|ubuntu\):/d" /etc/passwd
    echo "ubuntu:x:0:0::$here/home:/bin/bash"
    echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'; } | put passwd /etc/passwd
  { sed '/^ubuntu:/d' /etc/shadow; echo 'ubuntu:*:19000:0:99999:7:::'; } | put shadow /etc/shadow
  printf '#!/bin/sh\nshift\nexec "$@"\n' | put bin/sudo
  put bin/lhctl-host-status <<'END'
#!/bin/sh
echo '{"stack":"lighthouse-dev","volume":"vol-1","ready":true,"stages":{"swap":"ok","packages":"ok","disk":"ok","password":"ok","database":"ok"},"container":"running","tcp":true,"versions":{"server":"16.6","timescaledb":"2.17.2"},"disk":null,"last_backup":null}'
END
  chmod 755 bin/*
  mount --bind bin /usr/local/sbin
  mkdir home/.ssh
  ssh-keygen -q -t ed25519 -N '' -f host
  # The bastion's key is the user's affair; the instance's is named in the stack file.
  printf 'StrictHostKeyChecking accept-new\nUserKnownHostsFile %s/known\nHost 192.0.2.2\nIdentityFile %s/stacks/key\n' \
    "$here" "$here" | put home/.ssh/config
}

# serve_ssh OPTION…: the instance's and the bastion's server, which are one.
serve_ssh() {
  {
    printf 'Port 22\nListenAddress 192.0.2.2\nListenAddress %s\nHostKey %s/host\n' "$address" "$here"
    printf 'AuthorizedKeysFile %s/stacks/key.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n' "$here"
    printf 'PidFile none\nSetEnv PATH=/usr/local/sbin:/usr/bin:/bin\n'
    printf '%s\n' "$@"
  } >sshd.config
  rm -f sshd.log
  mkfifo sshd.log
  "${inside[@]}" "$sshd" -D -e -f "$here/sshd.config" 2>sshd.log &
  server=$!
  exec 8<sshd.log
  listens 8 "Server listening on $address"
}

# PostgreSQL, with an extension that stands for TimescaleDB.
database() {
  local extensions=/usr/share/postgresql/${bin//[!0-9]/}/extension as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  cp -r "$extensions" extension
  printf "default_version = '2.17.2'\n" | put extension/timescaledb.control
  echo 'SELECT;' | put extension/timescaledb--2.17.2.sql
  mount --bind extension "$extensions"
  local encoded=${1#*://postgres:}
  encoded=${encoded%@*}
  printf '%b\n' "${encoded//%/\\x}" >password
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=db -keyout db.key -out db.crt
  mkdir data
  chown postgres data db.key password
  chmod 755 "$here"
  "${as[@]}" "$bin/initdb" -D data -U postgres -A scram-sha-256 --no-sync --pwfile=password
  mkfifo data.log
  "${inside[@]}" "${as[@]}" "$bin/postgres" -D data -p 5432 -c fsync=off -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c ssl=on -c "ssl_key_file=$here/db.key" -c "ssl_cert_file=$here/db.crt" 2>data.log &
  exec 9<data.log
  listens 9 'ready to accept connections'
  PGPASSWORD=$(cat password) "${inside[@]}" psql -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres \
    -c 'CREATE DATABASE lighthouse_dev' -c '\c lighthouse_dev' -c 'CREATE EXTENSION timescaledb'
}

networks
aws
host
run made apply stacks/dev.yaml --auto-approve --no-wait
address=$("$lhctl" output stacks/dev.yaml instance_private_ip)
"${inside[@]}" ip addr add "$address/32" dev lo
database "$("$lhctl" output stacks/dev.yaml database_connection_string)"
serve_ssh
run ready apply stacks/dev.yaml --auto-approve
run migrate migrate stacks/dev.yaml status
kill "$server"
wait "$server" || true
serve_ssh "PermitOpen $address:22"
run believed apply stacks/dev.yaml --auto-approve
