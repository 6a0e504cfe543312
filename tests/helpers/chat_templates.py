"""Chat templates of published models, shortened where the shorter one tests the same."""

from __future__ import annotations

TEMPLATES = {
    "chatml": (
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
        "{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}"
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    "llama2": (
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
        "{% set system_message = messages[0]['content'] %}{% else %}"
        "{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
        "{% for message in loop_messages %}"
        "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/...') }}{% endif %}"
        "{% if loop.index0 == 0 and system_message != false %}"
        "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n'"
        " + message['content'] %}"
        "{% else %}{% set content = message['content'] %}{% endif %}"
        "{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}"
        "{% endif %}{% endfor %}"
    ),
    "llama3": (
        "{{- bos_token }}\n{%- if not date_string is defined %}\n"
        "    {%- set date_string = '26 Jul 2024' %}\n{%- endif %}\n"
        "{%- if messages[0]['role'] == 'system' %}\n"
        "    {%- set system_message = messages[0]['content']|trim %}\n"
        "    {%- set messages = messages[1:] %}\n{%- else %}\n"
        "    {%- set system_message = '' %}\n{%- endif %}\n"
        "{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}\n"
        "{{- 'Today Date: ' + date_string + '\\n\\n' }}\n{{- system_message }}\n"
        "{%- if tools %}\n    {%- for t in tools %}\n        {{- t | tojson(indent=4) }}\n"
        "        {{- '\\n\\n' }}\n    {%- endfor %}\n{%- endif %}\n"
        "{%- for message in messages %}\n    {%- if 'tool_calls' in message %}\n"
        "        {%- set tool_call = message.tool_calls[0].function %}\n"
        "        {{- '{\"name\": \"' ~ tool_call.name ~ '\", ' }}\n"
        "        {{- tool_call.arguments | tojson }}\n    {%- else %}\n"
        "        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'"
        "+ message['content'] | trim + '<|eot_id|>' }}\n    {%- endif %}\n{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n"
        "    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n"
    ),
    "gemma": (
        "{{ bos_token }}{% for message in messages %}"
        "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
        "{% else %}{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
    ),
    "namespace": (
        "{%- set ns = namespace(found=false, last=-1, names=[]) -%}\n"
        "{%- for m in messages[::-1] %}\n  {%- set index = (messages|length - 1) - loop.index0 %}\n"
        "  {%- if not ns.found and m.role == 'user' %}{% set ns.found = true %}"
        "{% set ns.last = index %}{% endif %}\n"
        "  {%- set ns.names = ns.names + [m.role ~ index] %}\n{%- endfor %}\n"
        "{%- macro show(name, loud=false) %}[{{ name|upper if loud else name|title }}]"
        "{% endmacro %}"
        "{{ ns.last }}{{ ns.names | join(', ') }}{{ show('x y', loud=true) }}{{ show('x y') }}\n"
        "{%- for key, value in {'a': 1, 'b': [1.5, none]}|items %}\n    {{ key }}={{ value }}\n"
        "{%- endfor %}\n{% generation %}{{ messages|map(attribute='role')|unique|list }}"
        "{% endgeneration %}{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}"
        "{{ m.content.split(' ')[0].replace('H', 'J').lstrip('x')|indent(2, first=true) }}"
        "{% endfor %}"
    ),
}
CONVERSATION = [
    {"role": "system", "content": "Be brief. "},
    {"role": "user", "content": "Hello <b>you</b>,\nü€ \U0001f600 "},
    {"role": "assistant", "content": "Hi!"},
    {"role": "user", "content": "How's it\n\ngoing?"},
]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"a": ["é", 1, None, True]}}}
CALL = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}
