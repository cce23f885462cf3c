#!/bin/sh
# Servers that the tests talk to, from Debian's packages.  Safe to repeat.
set -eu
need=""
command -v redis-server >/dev/null 2>&1 || need="$need redis-server"
command -v /usr/sbin/postfix >/dev/null 2>&1 || need="$need postfix"
command -v /usr/sbin/dovecot >/dev/null 2>&1 || need="$need dovecot-imapd"
command -v swaks >/dev/null 2>&1 || need="$need swaks"
[ -z "$need" ] && exit 0
run=""
[ "$(id -u)" = 0 ] || run="sudo"
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
# A package that starts a service of its own would hold the port; tests start theirs.
$run sh -c 'printf "#!/bin/sh\nexit 101\n" > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d'
# shellcheck disable=SC2086 - a list of names
$run apt-get install -y -qq --no-install-recommends $need
$run rm -f /usr/sbin/policy-rc.d
