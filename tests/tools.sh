#!/bin/sh
# The system tools the tests use. As root they are installed; otherwise the one command that does is printed.
# Nothing is skipped for want of a tool.
set -eu
packages=""
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need chromium chromium
need firefox-esr firefox-esr
need ffmpeg ffmpeg
need mpg123 mpg123
need pdftotext poppler-utils
need pdftoppm poppler-utils
need zbarimg zbar-tools
need nsenter util-linux
need mount mount
need unshare util-linux
need ip iproute2
need nginx nginx
need caddy caddy
need systemd-analyze systemd
need curl curl
need /usr/sbin/postfix postfix
need /usr/lib/dovecot/imap dovecot-imapd
need aria2c aria2
need transmission-daemon transmission-daemon
need transmission-remote transmission-cli
need qbittorrent-nox qbittorrent-nox
need rhash rhash
need opentracker opentracker
need nft nftables
need /usr/games/minetestserver minetest-server
need /usr/games/minetest minetest
need Xvfb xvfb
need xdotool xdotool
need lua5.1 lua5.1
need luajit luajit
[ -z "$packages" ] && exit 0
install="apt-get install -y --no-install-recommends --no-remove$packages"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing the test tools:$packages"
    apt-get update -qq
    # Servers are started by the tests, never by their installation, and none asks what it shall be.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
    fi
    command -v debconf-set-selections >/dev/null 2>&1 &&
        echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    DEBIAN_FRONTEND=noninteractive $install >/dev/null
else
    echo "These tests need:$packages. Install them with:  sudo $install" >&2
    exit 1
fi
