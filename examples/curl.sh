#!/bin/sh
# A picture that was lost on the way and is not paid for again. Start the gateway first: npm start
gateway="${ONETAKE_URL:-http://127.0.0.1:8484}"

ask() {
  curl --silent --max-time "$1" --dump-header headers.txt --output picture.json \
    --header "authorization: Bearer ${ONETAKE_API_KEY:-local}" --header 'content-type: application/json' \
    --data '{"model": "sandbox/slow:4", "prompt": "a red fox in the snow", "response_format": "url"}' \
    "$gateway/v1/images/generations"
}

echo 'the caller gives up after one second; the provider works on'
ask 1 || true

echo 'the same request is given that picture'
ask 60
grep -i 'x-onetake-attached' headers.txt
cat picture.json
