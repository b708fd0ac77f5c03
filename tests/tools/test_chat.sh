#!/bin/sh
# test_chat.sh: the program for conversations, with untrained models; through pipes, and on a terminal.
#
#   sh tests/tools/test_chat.sh CHAT SMALL_CHAT ON_TERMINAL      the three programs
set -u
export LC_ALL=C.UTF-8 OMP_NUM_THREADS=1
chat=$1 maker=$2 terminal=$3
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-chat-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
. "$(dirname "$0")/checks.sh"
lines() { # lines TEXT OPTION…: the text, with printf's escapes, as standard input; what comes is in out and errors
    text=$1
    shift
    # shellcheck disable=SC2059
    printf "$text" | "$chat" --model "$scratch/small" "$@" >"$scratch/out" 2>"$scratch/errors"
    status=$?
}
say() { "$chat" --model "$scratch/small" "$@" </dev/null >"$scratch/out" 2>"$scratch/errors"; }
same() { cmp "$scratch/out" "$scratch/$1"; }
ended() { [ "$status" -eq "$1" ] || { echo "exit status $status, expected $1"; cat "$scratch/errors"; return 1; }; }
told() { grep -q -e "$1" "$scratch/errors" || { cat "$scratch/errors"; return 1; }; }
silent() { [ ! -s "$scratch/errors" ] || { cat "$scratch/errors"; return 1; }; }
refused() { # refused WORDS OPTION…: exit status 1, no answer, and a message with these words
    words=$1
    shift
    say "$@" && { echo "exit status 0"; return 1; }
    [ ! -s "$scratch/out" ] && told "$words"
}

"$maker" "$scratch/small" 256 && "$maker" "$scratch/endless" 4000 endless && "$maker" "$scratch/plain" 256 plain || exit 2

# ---- Pipes ----------------------------------------------------------------------------------------------------

lines 'hello\nand then\n' --tokens 12
check "two lines are two turns" ended 0
check "and nothing is said beside the answers" silent
cp "$scratch/out" "$scratch/turns"
lines 'hello\nand then\n' --tokens 12
check "the same questions, the same answers" same turns
lines 'hello\nand then' --tokens 12
check "the last line needs no end" same turns
lines '\n  hello \r\n\n\t\nand then\n' --tokens 12
check "empty lines are nothing, blanks around a line neither" same turns
lines 'x\n/reset\nhello\nand then\n' --tokens 12
tail -n "$(wc -l <"$scratch/turns")" "$scratch/out" >"$scratch/last"
check "/reset forgets" cmp "$scratch/last" "$scratch/turns"
check "and says so" told forgotten
lines 'hello\nand then\n' --tokens 12 --seed 2
check "another seed, other answers" sh -c "! cmp -s '$scratch/out' '$scratch/turns'"
lines 'hello\n' --tokens 12 --system 'Be brief.'
cp "$scratch/out" "$scratch/brief"
lines '/system Be brief.\nhello\n/system\n' --tokens 12
check "/system is --system" same brief
check "alone it shows it" told '^(it is told: Be brief.)$'
lines '/system x\n/system ""\nhello\nand then\n' --tokens 12
check '/system "" is none' same turns
check "and says so, too" told 'told nothing'
say --tokens 12 hello
cp "$scratch/out" "$scratch/one"
lines 'hello\n' --tokens 12
check "PROMPT is one question" same one
check "the answers are UTF-8" iconv -f UTF-8 -t UTF-16 -o "$scratch/wide" "$scratch/turns"
check "no control character comes through" sh -c "! tr -d '\n\t' <'$scratch/turns' | LC_ALL=C grep -q '[[:cntrl:]]'"
say --tokens 12 --temperature 0 hello
cp "$scratch/out" "$scratch/cold"
for options in "--temperature 0 --seed 9" "--top-k 1" "--top-p 0" "--temperature 5 --top-p 1e-50"; do
    # shellcheck disable=SC2086
    say --tokens 12 $options hello
    check "$options is the one likeliest" same cold
done

for text in /help /helo /foo '/rest x' /; do
    lines "$text\nhello\n" --tokens 12
    check "$text is not said to the model" same one
done
check "an unknown command is told" told "there is no /, so nothing was said"
check "and fails in the end" ended 1
lines '/helo\n/rest\n/quti\nhello\n'
for name in /help /reset /quit; do check "$name is near" told "did you mean $name"; done
lines '/quit\nhello\n'
check "/quit ends" sh -c "[ ! -s '$scratch/out' ]"
lines '/exit\nhello\n'
check "/exit ends, too" sh -c "[ ! -s '$scratch/out' ]"
say --tokens 12 /help
cp "$scratch/out" "$scratch/slash"
lines '//help\n' --tokens 12
check "// says a text that begins with /" same slash
lines 'caf\351 \000 x\n' --tokens 12
check "what is no UTF-8 is replaced and told" told '2 bytes'
check "and said" ended 0
say --tokens 12 "$(printf 'caf\303\251')"
check "UTF-8 is taken as it is" silent
lines 'hello <|im_end|>\n<|im_start|>system\n' --tokens 12
check "added tokens may be typed" ended 0

long=$(printf 'x%.0s' $(seq 300))
lines "hello\n$long\nand then\n" --tokens 12
check "a message that is too long is not said" told 'this was not said: it takes 3[0-9][0-9] tokens, and beside an answer there is room for 244'
check "that is a failure" ended 1
check "and the conversation goes on as if it had not been" same turns
lines "$(printf 'one more\\n%.0s' $(seq 12))" --tokens 12
check "the oldest exchanges are forgotten" told 'outgrown the context of 256 tokens'
check "which is told once" sh -c "[ \$(wc -l <'$scratch/errors') -eq 1 ]"
check "and is no failure" ended 0

# ---- Mistakes --------------------------------------------------------------------------------------------------

check "there is help" sh -c "'$chat' --help | grep -q -e --system"
check "no model" sh -c "! '$chat' x 2>'$scratch/errors' && grep -q 'FOLDER is missing' '$scratch/errors'"
check "an unknown option" refused "unknown option --warmth" --warmth 3 x
check "two questions" refused "two questions" In the
check "an option without a value" refused "needs a value" --tokens
check "words for a number" refused "expected a whole number" --tokens many x
check "a temperature below 0" refused "expected 0 to 100" --temperature -1 x
check "--top-p above 1" refused "expected 0 to 1" --top-p 2 x
check "--seed is whole" refused "expected a whole number" --seed 1.5 x
check "a folder that is not there" sh -c "! '$chat' --model '$scratch/none' x 2>'$scratch/errors' && grep -q 'no such folder' '$scratch/errors'"
check "a folder without a model" sh -c "! '$chat' --model '$scratch' x 2>'$scratch/errors' && grep -q 'no config.json' '$scratch/errors'"
check "a model without a template" sh -c "! '$chat' --model '$scratch/plain' x 2>'$scratch/errors' && grep -q 'no chat template' '$scratch/errors'"
cp -r "$scratch/small" "$scratch/lie"
sed 's/"hidden_size": 8/"hidden_size": 16/' "$scratch/small/config.json" >"$scratch/lie/config.json"
check "a folder that lies" sh -c "! '$chat' --model '$scratch/lie' x 2>'$scratch/errors' && grep -q '^error: .*lie' '$scratch/errors'"
cp "$scratch/small/config.json" "$scratch/lie/config.json"
printf '%s' '{{ messages | nonsense }}' >"$scratch/lie/chat_template.jinja"
check "a template that is wrong" sh -c "! '$chat' --model '$scratch/lie' x 2>'$scratch/errors' && grep -q 'chat_template.jinja:1:' '$scratch/errors'"
printf '%s' '{{ raise_exception("not today") }}' >"$scratch/lie/chat_template.jinja"
check "a template that refuses" sh -c "! '$chat' --model '$scratch/lie' x 2>'$scratch/errors' && grep -q 'not said: .*not today' '$scratch/errors'"

# ---- A terminal ------------------------------------------------------------------------------------------------

typed() { # typed COLUMNS OPTION… <script: what the terminal shows is in screen
    columns=$1
    shift
    "$terminal" "$columns" "$chat" "$@" >"$scratch/screen" 2>&1
}
shows() { grep -q -F -e "$1" "$scratch/screen" || { cat -v "$scratch/screen"; return 1; }; }
escape=$(printf '\033') return=$(printf '\r')
# A line as it is drawn at the end: TEXT behind the prompt, the cursor in that column
drawn() { shows "$return> $1$escape[K$return$escape[$2C"; }

typed 60 --model "$scratch/small" --tokens 5 <<'END'
wait /help
wait > 
send /system 海上x
wait > /system 海上x\e[K\r\e[15C
send \x7f\x7f
wait > /system 海\e[K\r\e[12C
send \e[D\e[DA
wait > /systemA 海\e[K\r\e[10C
send \x01\e[C\e[C\x0b\x15
wait > \e[K\r\e[2C
send /system é\xCC\x81海\e[D\x7f
wait > /system 海\e[K\r\e[10C
send \e[3~\r
wait it is told nothing
send hello\r
wait (5 tokens, as many as it may have
wait > 
send \e[A\e[A
send \e[B!\r
wait > hello!
wait (5 tokens
wait > 
send half\x03
wait ctrl-D or /quit leaves
wait > 
send \x03
wait second ctrl-C
wait > 
send \x03
end
END
check "a terminal session" shows "status 0 restored"
check "it is greeted" shows "in a context of 256 tokens. /help tells more, ctrl-D leaves."
check "wide characters take two columns" drawn "/system 海上x" 15
check "backspace takes a whole one" drawn "/system 海" 12
check "the arrows go over it" drawn "/systemA 海" 10
check "a combining mark goes with its letter" drawn "/system 海" 10

typed 40 --model "$scratch/small" --tokens 5 <<'END'
wait > 
send \x7f\e[D\e[C\e[3~\x17\x0b\x15
send 天涯共此時天涯共此時天涯共此時天涯共此時天涯共此時
wait > 共此時天涯共此時天涯共此時天涯共此時\e[K\r\e[38C
send \x01
wait > 天涯共此時天涯共此時天涯共此時天涯共
send \x05\x17hello\x01\x0b\xE6\xB5
quiet
send \xB7\xFF\r
wait (5 tokens
wait > 
send \e[200~one\rtwo\e[201~
wait > one↵two\e[K\r\e[9C
send \r
wait (5 tokens
wait > 
send \x04
end
END
check "ctrl-D ends" shows "status 0 restored"
check "a long line is shown in part, at the cursor" drawn "共此時天涯共此時天涯共此時天涯共此時" 38
check "and from its beginning" shows "> 天涯共此時天涯共此時天涯共此時天涯共"
check "a character may come in parts, and what is none is replaced" shows "> 海�"
check "what is pasted may have two lines" drawn "one↵two" 9

typed 80 --model "$scratch/endless" <<'END'
wait > 
send hello\r
wait [?2004l
wait �
send lost\x03typed
wait , stopped
wait > typed
send \r
wait [?2004l
wait �
signal 2
wait , stopped
wait > 
send /quit\r
end
END
check "ctrl-C ends the answer and not the program" shows "status 0 restored"
check "what was typed before it is dropped" sh -c "! grep -q lost '$scratch/screen'"
"$terminal" 80 sh -c 'echo hello | exec "$0" --model "$1"; echo "and $?"' "$chat" "$scratch/endless" >"$scratch/screen" 2>&1 <<'END'
wait �
send \x03
end
END
check "ctrl-C ends a program that reads a pipe" shows "status 130 restored"
check "and the line that it was in" sh -c "tail -n 2 '$scratch/screen' | head -n 1 | grep -q '^$'"
# Nobody reads what it writes, and so it is writing when the signal comes. Later it is read.
mkfifo "$scratch/fifo" && exec 3<>"$scratch/fifo"
head -c 65500 /dev/zero >&3
{ sleep 3; exec cat <&3 >/dev/null; } &
"$terminal" 80 sh -c 'exec "$0" --model "$1" >&3' "$chat" "$scratch/endless" >"$scratch/screen" 2>&1 <<'END'
wait > 
send hello\r
wait [?2004l
quiet
signal 2
wait > 
send /quit\r
end
END
kill $!
exec 3>&-
check "a signal that comes while it writes spoils no answer" shows "status 0 restored"
"$terminal" 80 sh -c '"$0" --model "$1" --tokens 3 | head -c 1' "$chat" "$scratch/small" >"$scratch/screen" 2>&1 <<'END'
wait > 
send one\r
quiet
send two\r
quiet
send \x04
end
END
check "the terminal is restored when nobody reads the answers" shows "status 0 restored"
for number in 15 1 3; do
    printf 'wait > \nsend x\nsignal %d\nend\n' $number | typed 80 --model "$scratch/small"
    check "the terminal is restored after signal $number" shows "status $((128 + number)) restored"
done
printf 'wait > \nsend hal\nsignal 20\nquiet\nsend lo\nwait > hallo\\e[K\\r\\e[7C\nsend \\x15/foo\\r\nwait there is no /foo\nwait > \nsend \\x04\nend\n' |
    typed 80 --model "$scratch/small"
check "being stopped loses nothing that was typed" drawn hallo 7
check "a mistake that was typed is none of the program" shows "status 0 restored"
TERM=dumb typed 80 --model "$scratch/small" --tokens 3 <<'END'
wait > 
send hello\r
wait (3 tokens
wait > 
send /system 海上\x7f\r
wait (it is told: 海)
wait > 
send half\x03
wait second ctrl-C
wait > 
send \x03
end
END
check "TERM=dumb is asked without editing" shows "status 0 restored"
check "and no sequence is sent to it" sh -c "! grep -q '$escape' '$scratch/screen'"

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
