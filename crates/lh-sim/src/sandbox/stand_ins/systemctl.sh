#!/bin/bash
# systemctl in the sandbox: there are no units, and nobody is told otherwise.
case " $* " in
  *' is-active '*) case " $* " in *' -q '* | *' --quiet '*) ;; *) echo active ;; esac ;;
esac
