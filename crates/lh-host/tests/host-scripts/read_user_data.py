"""Reads user data and compose file as cloud-init and Compose would, and compares."""

import base64
import gzip
import pathlib
import sys

import yaml

work = pathlib.Path(sys.argv[1])
data = yaml.safe_load((work / "user-data").read_text())
conf, installer = data["write_files"]
assert conf["path"] == "/etc/lhctl/host.conf", conf
assert conf["content"] == (work / "conf").read_text(), conf
assert installer["encoding"] == "gz+b64" and installer["permissions"] == "0755"
text = gzip.decompress(base64.b64decode(installer["content"])).decode()
assert text == (work / "install").read_text()
assert data["runcmd"] == [[installer["path"]], ["systemctl", "start", "lhctl-host.service"]]

service = yaml.safe_load((work / "compose").read_text())["services"]["timescaledb"]
words = service["command"].split()
assert words[0] == "postgres" and words[1::2] == ["-c"] * (len(words) // 2), words
assert "shared_buffers=512MB" in words[2::2], words
assert service["environment"]["TIMESCALEDB_TELEMETRY"] == "off", service
assert all(v["bind"]["create_host_path"] is False for v in service["volumes"]), service
