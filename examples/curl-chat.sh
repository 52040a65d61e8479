#!/bin/sh
# Streams of chat that fail, and what their caller sees. Start the gateway first: npm start
gateway="${ONETAKE_URL:-http://127.0.0.1:8484}"
# The sandbox goes on where its script stood for the same words, so each run has its own.
words="a word on foxes, $$"

ask() {
  curl --silent --no-buffer --dump-header headers.txt "$gateway/v1/chat/completions" \
    --header "authorization: Bearer ${ONETAKE_API_KEY:-local}" --header 'content-type: application/json' \
    --data "{\"model\": \"$1\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"$words\"}]}"
}

echo 'the provider dies before its first word: it is asked again, and the caller sees one whole answer'
ask 'sandbox/die-before-first,ok' | tail -n 2
grep -i 'x-onetake-attempts' headers.txt

echo 'it dies in the middle of the answer: what came, then one error, and no [DONE]'
ask 'sandbox/die-mid-stream' | tail -n 2
