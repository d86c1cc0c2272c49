#!/bin/sh
# Creates a model of an image: sh model.sh photo.jpg model.glb
# Needs curl. API names the server, API_KEY its key if it needs one.
set -eu

api=${API:-http://127.0.0.1:8787}
sessions=$api/image-to-3d-sessions

# Sends a request. The key is not on the command line, where other users of the machine could see it.
send() {
  printf '%s\n' "${API_KEY:+header = x-api-key:$API_KEY}" |
    curl --silent --show-error --fail-with-body --config - "$@"
}

# Prints a text of a session.
field() {
  printf '%s' "$session" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

# Prints the last response, and ends.
fail() {
  echo "$session" >&2
  exit 1
}

# The body is a file: an image may be longer than a command line.
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
  printf '{ "generate_texture": true, "image_url": "data:;base64,'
  base64 < "$1" | tr -d '\n'
  printf '" }'
} > "$body"

session=$(send --header 'Content-Type: application/json' --data-binary "@$body" "$sessions") || fail
code=$(field session_code)
until url=$(field preview_mesh_url_glb) && [ -n "$url" ]; do
  case $(field status) in
    *_failed) fail ;;
  esac
  echo "$code $(field status)"
  sleep 1
  session=$(send "$sessions/$code") || fail
done

curl --silent --show-error --fail --output "$2" "$url"
echo "$code saved as $2"
