#!/bin/sh
# Man pages from --help: espalier.1 and espalier-COMMAND.1.   usage: man_pages.sh HELP2MAN ESPALIER VERSION FOLDER
set -eu
help2man=$1 program=$2 version=$3 folder=$4
export ASAN_OPTIONS=detect_leaks=0 # argp ends the program inside --help
export LC_ALL=C.UTF-8

page() { # NAME ABOUT COMMAND
  raw="$folder/$1.1.part"
  title=$(printf %s "$1" | tr '[:lower:]' '[:upper:]')
  "$help2man" --no-info --version-string="espalier $version" --name="$2" --output="$raw" "$3"
  sed "s/^\.TH ESPALIER /.TH $title /; s/^espalier \\\\-/$1 \\\\-/" "$raw" >"$folder/$1.1"
  rm "$raw"
}

# The commands stand in --help up to the line about their own --help.
"$program" --help | sed -n '/espalier COMMAND --help/q; s/^  \([a-z][a-z]*\)  *\([^ ].*\)$/\1 \2/p' |
  while read -r name about; do
    page "espalier-$name" "$about" "$program $name"
  done
page espalier "prunes language models on a grid and measures what every cut costs" "$program"
