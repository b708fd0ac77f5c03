#!/usr/bin/env python3
"""Writes chat_templates.json, with jinja2 3.1.2 (Debian 12's python3-jinja2).

    /usr/bin/python3 tests/reference/make_chat_templates.py

tests/unit/test_reference_chat_template.c renders the same templates and compares each result byte for byte; where jinja2
raises an error ("result" is null), the library must report a problem. The environment is the one that Hugging Face's
transformers makes for chat templates. The templates are written for this file, in the manner of the published ones.
"""
import datetime
import json
import os
import re

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = os.path.dirname(os.path.abspath(__file__))
DATE = "2026-01-31"


class Generation(Extension):
    """{% generation %}: transformers notes which characters are the model's; the text is the same."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def strftime_now(form):
        return datetime.datetime.strptime(DATE, "%Y-%m-%d").strftime(form)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = strftime_now
    return made


# ---- Templates of chats ------------------------------------------------------------------------------------------------------

CHATS = {}

CHATS["chatml"] = """\
{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

CHATS["chatml with a default"] = """\
{% for m in messages %}
    {% if loop.first and m.role != 'system' %}
        {{- '<|im_start|>system\\nBe a helpful assistant.<|im_end|>\\n' }}
    {% endif %}
    {{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content | trim }}
    {%- if (loop.last and add_generation_prompt) or not loop.last %}
        {{- '<|im_end|>' + '\\n' }}
    {% endif %}
{% endfor %}
{% if add_generation_prompt and messages[-1]['role'] != 'assistant' %}
    {{- '<|im_start|>assistant\\n' }}
{% endif %}
"""

CHATS["llama 2"] = """\
{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}\
{% else %}{% set rest = messages %}{% set system = false %}{% endif %}\
{% for message in rest %}\
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('user and assistant must take turns') }}{% endif %}\
{% if loop.index0 == 0 and system != false %}{% set said = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] %}\
{% else %}{% set said = message['content'] %}{% endif %}\
{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + said.strip() + ' [/INST]' }}\
{% elif message['role'] == 'assistant' %}{{ ' ' + said.strip() + ' ' + eos_token }}{% endif %}\
{% endfor %}"""

CHATS["llama 3"] = """\
{% set turns = messages %}{% for turn in turns %}\
{% set text = '<|start_header_id|>' + turn['role'] + '<|end_header_id|>\\n\\n' + turn['content'] | trim + '<|eot_id|>' %}\
{% if loop.index0 == 0 %}{% set text = bos_token + text %}{% endif %}{{ text }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""

CHATS["llama 3.2"] = """\
{{- bos_token }}
{%- if own_tools is defined %}
    {%- set tools = own_tools %}
{%- endif %}
{%- if not tools_first is defined %}
    {%- set tools_first = true %}
{%- endif %}
{%- if not day is defined %}
    {%- if strftime_now is defined %}
        {%- set day = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set day = "1 Jan 2025" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The system message has a place of its own. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Tools: " + tools | map(attribute='function.name') | reject('equalto', 'hidden') | join(", ") + "\\n" }}
{%- endif %}
{{- "Today: " + day + "\\n\\n" }}
{%- if tools is not none and not tools_first %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system }}
{{- "<|eot_id|>" }}
{%- if tools_first and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first = messages[0]['content'] | trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("There is no first message to put the tools into.") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {{- "Answer with JSON: " }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first + "<|eot_id|>" }}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls | length == 1 %}
            {{- raise_exception("One call at a time.") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

CHATS["mistral"] = """\
{{ bos_token }}{% for message in messages %}\
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns!') }}{% endif %}\
{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}\
{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}\
{% else %}{{ raise_exception('Only user and assistant!') }}{% endif %}{% endfor %}"""

CHATS["mistral nemo"] = """\
{%- if messages[0]["role"] == "system" %}
    {%- set system = messages[0]["content"] %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set turns = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set asked = turns | selectattr("role", "equalto", "user") | list %}

{#- Turns alternate, tools aside. #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in turns %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Turns must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in turns %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == asked[-1]) %}
            {{- "[AVAILABLE_TOOLS][" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system is defined %}
            {{- "[INST]" + system + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST]" + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif (message.tool_calls is defined and message.tool_calls is not none) %}
        {{- "[TOOL_CALLS][" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("An id has 9 characters!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- message["content"] + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS]{"content": ' + content|string + ", " }}
        {%- if not message.tool_call_id is defined or message.tool_call_id|length != 9 %}
            {{- raise_exception("An id has 9 characters!") }}
        {%- endif %}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Who is that?") }}
    {%- endif %}
{%- endfor %}
"""

CHATS["qwen 2.5"] = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You help.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

CHATS["qwen 3"] = """\
{%- set ns = namespace(searching=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.searching and message.role == "user" and not(message.content.startswith('<result>') and message.content.endswith('</result>')) %}
        {%- set ns.searching = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if message.role == "user" or message.role == "system" %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if message.thought is defined and message.thought is not none %}
            {%- set thought = message.thought %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last %}
            {%- if loop.last or (not loop.last and thought) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""

CHATS["gpt-2"] = """{% for message in messages %}{{ message.content }}{{ eos_token }}{% endfor %}"""

CHATS["generation"] = """\
{% for m in messages %}
{% if m.role == 'assistant' %}
Assistant: {% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}

{% else %}
{{ m.role | capitalize }}: {{ m.content }}
{% endif %}
{% endfor %}
{%- if add_generation_prompt %}Assistant:{% endif %}"""

CHATS["macros"] = """\
{%- macro turn(role, content='(nothing)', end=true) -%}
    <|{{ role }}|>
    {{- content }}
    {%- if end %}<|end|>{% endif %}
{%- endmacro -%}
{%- for message in messages -%}
    {{ turn(message.role, content=message.content) }}
    {%- if loop.nextitem is defined and loop.nextitem.role == message.role %}!{% endif -%}
{%- endfor -%}
{{ turn('assistant', end=false) if add_generation_prompt }}"""

TOOLS = [
    {"type": "function", "function": {
        "name": "weather", "description": "Today's \"weather\" of a place — in °C",
        "parameters": {"type": "object", "required": ["place"], "properties": {
            "place": {"type": "string", "enum": ["Zürich", "北京"]}, "days": {"type": "integer", "default": 3}}}}},
    {"type": "function", "function": {"name": "hidden", "description": "a\tb\\c", "return": {"type": "null"}, "parameters": {}}},
]

CALLS = [{"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"place": "北京", "days": 2, "exact": True, "x": None, "y": 0.5}}}]

CONVERSATIONS = [
    {"messages": [{"role": "user", "content": "What is a tensor?"}], "add_generation_prompt": True},
    {"messages": [{"role": "system", "content": "Be brief.\n"}, {"role": "user", "content": " Hello, 世界 🙂 "},
                  {"role": "assistant", "content": "<think>\nHm.\n\n</think>\n\nHi!"}, {"role": "user", "content": "{{ 1 + 1 }} <|im_end|>"}],
     "add_generation_prompt": True, "enable_thinking": False},
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "<think>a</think>b"}],
     "add_generation_prompt": False},
    {"messages": [{"role": "user", "content": "u"}, {"role": "user", "content": "again"}], "add_generation_prompt": True},
    {"messages": [{"role": "user", "content": "Warm?"}, {"role": "assistant", "content": "", "tool_calls": CALLS},
                  {"role": "tool", "content": "{\"temperature\": -3}", "tool_call_id": "abcdefghi"},
                  {"role": "assistant", "content": "No."}, {"role": "user", "content": "And\n now?"}],
     "tools": TOOLS, "add_generation_prompt": True},
    {"messages": [{"role": "user", "content": "Warm?"}, {"role": "assistant", "content": None, "tool_calls": CALLS * 2}],
     "tools": TOOLS, "tools_first": False, "add_generation_prompt": False},
    {"messages": [], "add_generation_prompt": True},
]

# ---- The language, one thing at a time ------------------------------------------------------------------------------------------

VARIABLES = {
    "s": "Hello, World", "words": ["pear", "Apple", "fig", "apple"], "empty": [], "n": 7, "m": -3, "f": 2.5, "t": True, "no": None,
    "d": {"b": 1, "a": "x", "C": [1, 2]}, "u": "naïve ÉTÉ Привет 世界🙂", "blank": "  \n\tx y \u00a0", "nested": [[1, 2], [3, [4]]],
    "people": [{"name": "Ann", "age": 31, "tags": ["x"]}, {"name": "bob", "age": 5}, {"name": "Cid", "age": 31, "tags": []}],
    "quote": "it's \"so\"\\\n\x01\u200b\x7f", "lines": "one\n\n  two\nthree\n",
}

LANGUAGE = r'''
{{ s }} {{ n }} {{ f }} {{ t }} {{ no }} {{ missing }} {{ d }} {{ words }}
{{ (1, 'a', 2.0) }} {{ (1,) }} {{ () }} {{ [] }} {{ {} }} {{ {'k': [none, true]} }} {{ [quote] }} {{ [u] }}
{{ 1 + 2 * 3 - 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** 3 ** 2 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 1 + 0.5 }} {{ 1e20 }} {{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.5e-7 }} {{ 123456.789 }} {{ 0.1 + 0.2 }} {{ 100.0 }} {{ 3e0 }}
{{ true + 1 }} {{ -true }} {{ +5 }} {{ -n }} {{ 1_000 }} {{ 4.0 * 2 }} {{ -4.0 % 2.0 }} {{ 2 - 5 }} {{ 1 - -1 }}
{{ 'a' ~ 1 ~ none ~ 2.5 ~ true }} {{ 'ab' * 3 }} {{ 2 * 'x' }} {{ [1] * 3 }} {{ [1] + [2, 3] }} {{ (1,) + (2,) }} {{ 'a' 'b' "c" }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 1 == true }} {{ 'a' < 'b' }} {{ 'B' < 'a' }} {{ [1, 2] < [1, 3] }} {{ [1] == [1.0] }} {{ (1,) == [1] }} {{ none == none }} {{ 1 != 2 }} {{ 3 >= 3 }} {{ d == {'a': 'x', 'C': [1, 2], 'b': 1} }}
{{ 'a' in 'cat' }} {{ 'b' not in 'cat' }} {{ 2 in [1, 2] }} {{ 'a' in d }} {{ 'x' in d }} {{ '' in '' }} {{ not 'a' in d }} {{ 1 in (1, 2) }} {{ 'q' in missing }}
{{ 0 or 'x' }} {{ 1 and 'y' }} {{ '' or none or [] }} {{ not none }} {{ not not 1 }} {{ 1 and 0 or 2 }} {{ missing or 'm' }} {{ missing and 1 }}
{{ 'y' if t else 'n' }} {{ 'y' if no else 'n' }}|{{ 'y' if no }}|{{ 'a' if no else 'b' if no else 'c' }} {{ (1 if t else 2) + 1 }}
{{ s[0] }} {{ s[-1] }} {{ s[99] }} {{ s[0:5] }} {{ s[7:] }} {{ s[:-6] }} {{ s[::-1] }} {{ s[::2] }} {{ s[-3:] }} {{ u[6:9] }} {{ u[-1] }} {{ u[-2:] }} {{ s[5:2] }} {{ s[2:5:1] }} {{ s[10:0:-3] }}
{{ words[1] }} {{ words[-1] }} {{ words[9] }} {{ words[1:3] }} {{ words[::-1] }} {{ words[:1] }} {{ words[-2:] }} {{ words[::-2] }} {{ words[5:] }} {{ (1, 2, 3)[1:] }} {{ words[none:2] }} {{ words[-99:99] }}
{{ d.a }} {{ d['b'] }} {{ d.zzz }} {{ d['C'][1] }} {{ d.C.0 }} {{ people[0].name }} {{ people[1]['age'] }} {{ nested[1][1][0] }} {{ people.0.name }}
{{ {'a': 1}.a }} {{ {'a': {}}[{}] }} {{ {1: 'x'}[1] }} {{ {'a': 1, 'a': 2} }} {{ {1: 'i', 1.0: 'f', true: 't'} }} {{ [1, 2, 3,] }} {{ {'a': 1,} }}
{{ 'q\'s' }} {{ "d\"q" }} {{ 'n\nt\tb\\x' }} {{ '\x41\u00e9\U0001F642' }} {{ '\q\101' }} {{ "a'b" }}
{{ s.upper() }} {{ s.lower() }} {{ u.upper() }} {{ u.lower() }} {{ 'hello wORLD-foo' .title() }} {{ 'hello WORLD' .capitalize() }} {{ 'straße ÿ µ'.upper() }}
[{{ blank.strip() }}] [{{ blank.lstrip() }}] [{{ blank.rstrip() }}] [{{ 'xxaxx'.strip('x') }}] [{{ 'xyaxy'.lstrip('yx') }}] [{{ 'aé é'.rstrip('é ') }}] [{{ 'abc'.strip('') }}]
{{ s.startswith('Hell') }} {{ s.startswith(('x', 'H')) }} {{ s.endswith('d') }} {{ s.endswith('') }} {{ s.startswith('Hello, World!') }} {{ s.find('o') }} {{ s.find('zz') }} {{ u.find('世') }} {{ s.count('o') }} {{ 'aaaa'.count('aa') }} {{ 'ab'.count('') }}
{{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b c '.split(none, 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'abc'.split('x') }} {{ ''.split(',') }} {{ ''.split() }} {{ 'a--b--c'.split('--')[-1] }} {{ 'aXbXc'.rsplit('X') }} {{ 'x'.split(sep='x') }}
{{ 'banana'.replace('a', 'o') }} {{ 'banana'.replace('a', 'o', 2) }} {{ 'ab'.replace('', '-') }} {{ 'aé'.replace('', '-') }} {{ s.replace('l', '') }} {{ '-'.join(['a', 'b']) }} {{ ''.join(words) }} {{ '12'.isdigit() }} {{ ' '.isspace() }} {{ s.index('W') }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.c'.removesuffix('.c') }} {{ lines.splitlines() }}
{{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ d.get('a') }} {{ d.get('q') }} {{ d.get('q', 'z') }} {{ d.items() | list }} {{ d | items | list }} {{ d.keys() | list }} {{ d | list }} {{ d | length }} {{ d.items() | length }} {{ words.index('fig') }} {{ words.count('fig') }}
{{ blank | trim }} {{ 'xxaxx' | trim('x') }} {{ s | length }} {{ u | length }} {{ words | count }} {{ empty | length }} {{ missing | length }} {{ s | upper }} {{ s | lower }} {{ 'hello wORLD-foo (bar) it\'s' | title }} {{ 'hello WORLD' | capitalize }} {{ 5 | string + 'x' }} {{ s | safe }}
{{ words | join(', ') }} {{ words | join }} {{ [1, none, true] | join('-') }} {{ people | join(', ', attribute='name') }} {{ 'abc' | join('.') }} {{ d | join(',') }}
{{ missing | default('q') }} {{ missing | d('q') }} {{ no | default('q') }} {{ '' | default('q', true) }} {{ '' | default('q') }} {{ missing | default }}| {{ 0 | default('z', boolean=true) }} {{ missing.x | default('y') if false else 'k' }}
{{ words | first }} {{ words | last }} {{ 'xyz' | first }} {{ 'xyz' | last }} {{ empty | first }} {{ empty | last }} {{ d | first }} {{ words | map('upper') | first }}
{{ 'banana' | replace('an', 'AN') }} {{ 'banana' | replace('a', 'o', 1) }} {{ 12 | replace('1', 'x') }} {{ 'abc' | list }} {{ (1, 2) | list }} {{ range(3) | list }} {{ range(2, 8, 3) | list }} {{ range(3, 0, -1) | list }} {{ range(0) | list }}
{{ d | dictsort }} {{ d | dictsort(true) }} {{ {'x': 2, 'y': 1} | dictsort(by='value') }} {{ {'x': 2, 'y': 1} | dictsort(false, 'value', true) }} {{ {'x': 2, 'y': 1} | dictsort(reverse=true) }}
{{ '42' | int }} {{ ' -7 ' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ 3.9 | int }} {{ '3.9' | int }} {{ -3.9 | int }} {{ true | int }} {{ none | int }} {{ '2.5' | float }} {{ 'x' | float }} {{ 3 | float }} {{ 'x' | float(1.5) }} {{ '1e3' | float }} {{ -5 | abs }} {{ (-5) | abs }} {{ -2.5 | abs }}
{{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 7 | round }} {{ 2.675 | round(2) }} {{ [1, 2, 3] | sum }} {{ people | sum(attribute='age') }} {{ [1] | sum(start=10) }} {{ [3, 1, 2] | max }} {{ [3, 1, 2] | min }} {{ words | max }} {{ words | min }} {{ people | max(attribute='age') }} {{ words | min(case_sensitive=true) }}
{{ words | map('upper') | list }} {{ words | map('replace', 'p', 'P') | list }} {{ people | map(attribute='name') | list }} {{ people | map(attribute='tags', default=[]) | list }} {{ people | map(attribute='tags.0', default='-') | list }} {{ words | map('length') | join('+') }} {{ nested | map('first') | list }}
{{ [0, 1, '', 'a', none] | select | list }} {{ [1, 2, 3, 4] | select('odd') | list }} {{ [1, 2, 3] | reject('equalto', 2) | list }} {{ words | select('in', ['fig', 'kiwi']) | list }} {{ [0, 1] | reject | list }} {{ words | reject('string') | list }} {{ [1, 5] | select('gt', 3) | list }} {{ [1, 5] | select('>', 3) | list if false else '-' }}
{{ people | selectattr('tags') | map(attribute='name') | list }} {{ people | selectattr('age', 'equalto', 31) | map(attribute='name') | join }} {{ people | rejectattr('age', 'lt', 10) | map(attribute='name') | join }} {{ people | selectattr('tags', 'defined') | list | length }} {{ (people | rejectattr('tags', 'undefined') | list)[0].name }}
{{ words | unique | list }} {{ words | unique(true) | list }} {{ [1, 1.0, 2] | unique | list }} {{ people | unique(attribute='age') | map(attribute='name') | list }} {{ words | reverse | list }} {{ 'añb' | reverse }} {{ words | sort }} {{ words | sort(reverse=true) }} {{ words | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | join(',') }} {{ people | sort(true, false, 'name') | map(attribute='name') | join(',') }} {{ [3, 1.5, 2] | sort }} {{ 'hello' | sort }} {{ [[2, 1], [1, 9]] | sort }}
{{ lines | indent }}|{{ lines | indent(2, true) }}|{{ lines | indent(1, blank=true) }}|{{ 'a\nb' | indent('>>') }}|{{ '' | indent(3, true) }}|{{ 'a\n' | indent }}
{{ d | tojson }} {{ words | tojson(indent=2) }} {{ nested | tojson(indent=1) }} {{ quote | tojson }} {{ u | tojson }} {{ u | tojson(ensure_ascii=true) }} {{ quote | tojson(ensure_ascii=true) }} {{ [1.5, 1e20, true, none, (1, 2), [], {}] | tojson }} {{ d | tojson(separators=(',', ':')) }} {{ d | tojson(sort_keys=true) }} {{ {1: 2, none: 3, true: 4, 1.5: 0} | tojson }} {{ [[], {}] | tojson(indent=4) }} {{ d | tojson(indent='--') }} {{ d | tojson(indent=0) }} {{ '</x>&\'' | tojson }}
{{ s is defined }} {{ missing is defined }} {{ missing is not defined }} {{ missing is undefined }} {{ no is none }} {{ no is not none }} {{ s is string }} {{ n is string }} {{ n is number }} {{ t is number }} {{ f is number }} {{ n is integer }} {{ t is integer }} {{ f is float }} {{ d is mapping }} {{ words is mapping }} {{ s is iterable }} {{ n is iterable }} {{ d is sequence }} {{ words is sequence }} {{ n is sequence }} {{ missing is iterable }} {{ t is boolean }} {{ n is boolean }} {{ t is true }} {{ t is false }} {{ 1 is true }} {{ no is false }}
{{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby(3) }} {{ 9 is divisibleby 2 }} {{ 'a' is equalto 'a' }} {{ 'a' is eq('b') }} {{ 1 is ne 2 }} {{ 1 is lt(2) }} {{ 2 is ge 2 }} {{ 1 is in [1] }} {{ 'x' is in('abc') }} {{ 'ABC' is upper }} {{ 'abc' is lower }} {{ '1' is lower }} {{ none is sameas none }} {{ range is callable }} {{ 'upper' is filter }} {{ 'odd' is test }} {{ not s is string }} {{ s is string and n is number }} {{ d.zzz is defined }} {{ d.a is defined }} {{ d['a'] is string }} {{ strftime_now is defined }} {{ 'a' if missing is defined else 'b' }}
{% for w in words %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.cycle('x', 'y', 'z') }} {% endfor %}
{% for a, b in [(1, 2), [3, 4]] %}{{ a }}-{{ b }};{% endfor %}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'héy' %}<{{ c }}>{% endfor %}{% for x in missing %}!{% else %}none{% endfor %}{% for x in empty %}!{% else %}else{% endfor %}
{% for x in [1, 2, 3, 4, 5] if x is odd %}{{ x }}/{{ loop.length }}/{{ loop.last }} {% endfor %}{% for x in [1, 2] if x > 5 %}{% else %}nothing{% endfor %}{% for k, v in d.items() if k != 'b' %}{{ k }}{{ loop.index }}{% endfor %}
{% for x in [1, 2, 3, 4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}{% for i in [1, 2] %}{% for j in [1, 2, 3] %}{% if j == 2 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{{ loop.index }};{% endfor %}{% for i in [1] %}{% break %}{% else %}no{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}{% if t %}{% set x = 9 %}{% endif %}{{ x }}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (a, b) = [3, 4] %}{{ a }}{{ b }}{% set y = 1, 2 %}{{ y }}
{% set ns = namespace(n=0, s='') %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% set ns.s = ns.s ~ i %}{% endfor %}{{ ns.n }} {{ ns.s }} {{ ns['n'] }} {{ ns.zzz is defined }}{% set ns2 = namespace({'a': 1}, b=2) %}{{ ns2.a }}{{ ns2.b }}
{% set z %}a{{ n }}b{% endset %}[{{ z }}]{% set z | upper | replace('A', '-') %} a{{ n }}b {% endset %}[{{ z }}]{% set q %}{% set inner = 1 %}{% endset %}{{ inner is defined }}
{% macro m(a, b=2, c='x' ~ a) %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c='k') }}{{ m(b=5, a=4) }}{{ m() }}{{ m(1) | length }}{{ m.name }}{% macro g() %}{{ n }}{{ later }}{{ s[0] }}{% endmacro %}{% set later = 'L' %}{{ g() }}{% macro fact(k) %}{{ k * (fact(k - 1) | int) if k > 1 else 1 }}{% endmacro %}{{ fact(10) }}
{% for i in [1, 2] %}{% macro inner(x) %}({{ x }}){% endmacro %}{{ inner(i) }}{% endfor %}{{ inner is defined }}
{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}{% if missing %}a{% endif %}{% if '' %}a{% elif [] %}b{% elif {} %}c{% elif 0 %}d{% elif 0.0 %}e{% else %}f{% endif %}
a {%- if t -%} b {%- endif -%} c {{- 1 -}} d {#- x -#} e
  {% if t %}
    indented {{ n }}
  {% endif %}
  {%+ if t %}kept{% endif +%}
  {# a comment #}
  after {# another #} x
	{% set tab = 1 %}	y
{{ n }}
 {{ n }} 
{%- for x in [1, 2] %}

  {{ x }}
{%- endfor %}
{% raw %}{{ not }} {% this %} {# that #}{% endraw %} {%- raw -%}  x  {%- endraw -%} z
{{ '{{' }} {{ '%}' }} {{ "#}" }} {{ {'a': {'b': 1}}['a']['b'] }} { { } } {%set a=1%}{{a}}{%if a==1%}y{%endif%}
{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %A %B %j %y %a %%') }} {{ strftime_now('%-d/%-m %e') }}
{{ dict(a=1, b='x') }} {{ dict({'q': 1}, z=2) }} {{ dict([('a', 1), ['b', 2]]) }} {{ dict() }} {{ range(5)[2] }} {{ range(5) | length }} {{ 3 in range(5) }} {{ range(10)[2:4] | list }} {{ words is sameas words }}
{{ (words | map('upper')) is iterable }} {{ (words | select) | list | length }} {% set gen = words | map('upper') %}{{ gen | list }}{{ gen | list }} {{ d.items() is mapping }} {{ (d.items() | list)[0][0] }} {% for a in d.items() %}{{ a[0] }}{{ loop.last }}{% endfor %}
{{ [1, 2].__class__ is defined }} {{ words.append is defined }} {{ s.format is defined and false }} {{ d.update is defined }} {{ 1 if ''.__class__ is defined else 'safe' }}
{{ people | map(attribute='name') | map('lower') | select('ne', 'bob') | join('&') }} {{ people | attr('zzz') is defined }} {{ s | attr('upper') is callable }} {{ ('a', 'b') | join }} {{ [[1, 2], [3]] | sum(start=[]) }} {{ 1, 2 }} {{ s, }}
{{ none | map('upper') | list }} {{ no | select | list }} {{ 0 | rejectattr('x') | list }} {{ missing | last }}| {{ missing in d }} {{ {missing: 1}[missing] }}|
{% for x in [1, 2] %}{% continue %}{% else %}none came to its end{% endfor %} {{ people | map(attribute='tags.0', default='-') | list }} {{ ' a b ' .split(none, 1) }}
{% set a = 'x' ~ 'y' %}{% set b = a ~ '1' %}{% set c = a ~ '2' %}{% set a2 = b[:2] ~ '3' %}{{ a }} {{ b }} {{ c }} {{ a2 }} {{ a + b + c + a }} {{ a ~ a ~ a }}
{% generation %}a{% set hid = 1 %}{{ n }}{% endgeneration %}{{ hid is defined }}{% for x in [1, 2] %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}
{{ missing }}|{{ d.missing }}|{{ words[77] }}|{{ missing == missing2 }}|{{ missing == none }}|{{ missing ~ 'x' }}|{{ missing | list }}|{{ missing | upper }}|{{ [missing] }}|{{ missing | join(',') }}
{{ no_such | tojson if false else 'ok' }} {{ x.y.z if false else 1 }} {{ 'a' is string == true }} {{ 2 * 3 ~ 4 }} {{ '1' + 2 ~ 3 + '4' }} {{ -2 ** 2 }} {{ not 1 == 2 }} {{ 1 if 2 else 3 if 4 else 5 }} {{ 'a' | upper ~ 'b' | upper }} {{ 2 | string * 3 }}
'''

ERRORS = [
    "{{ missing.x }}", "{{ missing + 'a' }}", "{{ 'a' + 1 }}", "{{ 1 + none }}", "{{ missing() }}", "{{ n() }}", "{{ s.nothing() }}", "{{ 1 / 0 }}",
    "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 1.5 / 0 }}", "{{ 'a' < 1 }}", "{{ none < 1 }}", "{{ {} < {} }}", "{{ missing < 1 }}", "{{ 1 in 'abc' }}", "{{ 1 in 5 }}",
    "{% for x in 5 %}{% endfor %}", "{% for x in none %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{{ raise_exception('no') }}", "{{ words.append(1) }}", "{{ d.update({}) }}", "{{ d.pop('a') }}", "{{ words.sort() }}", "{{ range(10 ** 9) | list }}",
    "{% set n.x = 1 %}", "{% set d.x = 1 %}", "{{ [] | tojson | nofilter }}", "{{ n is notest }}", "{{ missing | tojson }}", "{{ [missing] | tojson }}",
    "{{ n | length }}", "{{ none | length }}", "{{ (words | map('upper')) | length }}", "{{ words | map('nofilter') | list }}", "{{ {[]: 1} }}", "{{ 1 + 2 ~ 3 }}", "{{ x is defined if true else 1 }}",
    "{{ s.split('') }}", "{{ s.index('zzz') }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}", "{{ [1, 'a'] | sort }}", "{{ [1] | join(attribute='a') | int + 'x' }}", "{{ s | indent('x', 1, 2, 3) }}",
    "{{ -'a' }}", "{{ 'a' - 'b' }}", "{{ [1] + (2,) }}", "{{ [1][::0] }}", "{{ s.startswith(1) }}", "{{ ''.join([1]) }}", "{{ words | first(1) }}",
    "{{ ''.__class__.__mro__ }}", "{{ n.__class__() }}", "{{ dict(1) }}", "{{ range('a') }}", "{{ range(1, 2, 0) }}", "{{ 2 ** 'a' }}", "{{ d.items.x.y }}",
    "{{ missing | int }}", "{{ missing | float }}", "{{ missing | indent }}", "{{ n | indent }}", "{{ nested | unique | list }}", "{{ n[1:] }}", "{{ d[1:] }}",
    "{{ dict(a=1, a=2) }}", "{{ missing.x is defined }}", "{{ missing | items | length }}", "{{ (words | select)[0].x }}",
    # what is no template
    "{{", "{{ }}", "{{ 1", "{{ 1 }", "{% if %}{% endif %}", "{% if 1 %}", "{% endif %}", "{% for x %}{% endfor %}", "{% for in y %}{% endfor %}", "{% else %}",
    "{% for x in y %}{% endif %}", "{{ 'a }}", "{{ a b }}", "{{ 1 + }}", "{{ * 2 }}", "{{ (1 }}", "{{ 1) }}", "{{ [1 }}", "{{ {1} }}", "{{ {'a' 1} }}", "{{ a. }}",
    "{{ a[ }}", "{{ a[] }}", "{{ a| }}", "{{ a is }}", "{{ f(a=1, 2) }}", "{% set %}", "{% set 1 = 2 %}", "{% set a = %}", "{% set true = 1 %}", "{% macro %}{% endmacro %}",
    "{% nonsense %}", "{# comment", "{% raw %} x", "{% break %}", "{% continue %}", "{{ ? }}", "{{ a $ b }}", "{% if 1 %}{% elif %}{% endif %}", "{{ 1 if }}",
    "{% set x %}", "{% set x is string %}a{% endset %}", "{% set x(1) %}a{% endset %}", "{% set x.y.z = 1 %}", "{% set a, b %}ab{% endset %}{{ a.x.y }}", "{{ a is b is c }}", "{% %}", "{%", "{% if a = 1 %}{% endif %}", "{{ a = 1 }}", "{% for x in y %}{% else %}{% else %}{% endfor %}", "{{ not }}", "{{ 'a' 1 }}",
]


def rendered(made, source, variables):
    try:
        return made.from_string(source).render(**variables)
    except Exception:  # Python's own errors count as well
        return None


def main():
    made = environment()
    cases = []
    for name, source in CHATS.items():
        for number, conversation in enumerate(CONVERSATIONS):
            variables = dict(conversation, bos_token="<s>", eos_token="</s>")
            cases.append({"name": "%s %d" % (name, number), "template": name, "variables": variables, "result": rendered(made, source, variables)})
    small, lines = [], []
    for line in LANGUAGE.strip("\n").split("\n"):
        lines.append(line)
        source = "\n".join(lines)
        if len(re.findall(r"{%[-+]? *(?:for|if) ", source)) == len(re.findall(r"{%[-+]? *end(?:for|if)", source)):
            small.append(source)
            lines = []
    assert not lines, lines
    for source in small:
        assert rendered(made, source, VARIABLES) is not None, source
    for source in small + ["\n".join(small)] + [s + "\n" for s in small[:3]] + [s + "\n\n" for s in small[:3]]:
        cases.append({"source": source, "result": rendered(made, source, VARIABLES)})
    for source in ERRORS:
        result = rendered(made, source, VARIABLES)
        assert result is None, (source, result)
        cases.append({"source": source, "result": None})
    made_of = "jinja2 3.1.2 in the environment of transformers, by make_chat_templates.py"
    with open(os.path.join(HERE, "chat_templates.json"), "w", encoding="utf-8") as file:
        json.dump({"made": made_of, "date": DATE, "variables": VARIABLES, "templates": CHATS, "cases": cases}, file, ensure_ascii=False, indent=1)
        file.write("\n")


main()
