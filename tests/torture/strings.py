"""Strings that break programs which place them in a page, a script, a picture, a table or a path without care.

In the manner of well-known lists of naughty strings; each calls ``__trap``, which the browser of the trials plants, where it
could run at all.
"""

from __future__ import annotations

from itertools import chain

# fmt: off
MARKUP = (
    "<script>__trap(1)</script>", "</script><script>__trap(1)</script>", "<ScRiPt>__trap(1)</sCrIpT>", "<script src=//evil.example/x.js>",
    "<script>", "</script>", "</script", "<!--", "-->", "<!--<script>", "<![CDATA[", "]]>", "<!DOCTYPE html>", "<?xml version='1.0'?>",
    "<img src=x onerror=__trap(1)>", "<img src=//evil.example/x.png>", "\"><img src=x onerror=__trap(1)>", "'><img src=x onerror=__trap(1)>",
    "`><img src=x onerror=__trap(1)>", "\" onmouseover=\"__trap(1)", "' onmouseover='__trap(1)", "\" autofocus onfocus=__trap(1) x=\"",
    "<svg onload=__trap(1)>", "<svg><script>__trap(1)</script></svg>", "</svg><script>__trap(1)</script>", "<math><mtext></mtext>",
    "<iframe src=javascript:__trap(1)>", "<iframe srcdoc='<script>parent.__trap(1)</script>'>", "<body onload=__trap(1)>",
    "<details open ontoggle=__trap(1)>", "<video src=x onerror=__trap(1)>", "<object data=javascript:__trap(1)>", "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>", "<link rel=stylesheet href=//evil.example/x.css>", "<form action=//evil.example/>",
    "<style>*{display:none}</style>", "</style><script>__trap(1)</script>", "</title><script>__trap(1)</script>", "</textarea>", "</noscript>",
    "</template>", "</details>", "</table>", "</p></div></main></body></html>", "<plaintext>", "<a href=javascript:__trap(1)>x</a>", "<b>", "<",
    ">", "&", "&amp;", "&lt;script&gt;", "&#60;script&#62;", "&#x3c;", "&notit;", "&#0;", "&#xFFFF;", "&nbsp;", "&", "&&", "&;", "<>", "< x",
    "<a", "a<b>c", "=\"", "\"", "'", "`", "\"\"", "''", "'\"`", "\\\"", "\\'", "\\",
)
SCRIPTS = (
    "\";__trap(1);//", "';__trap(1);//", "`;__trap(1);//", "${__trap(1)}", "`${__trap(1)}`", "\\u003cscript\\u003e", "\\x3cscript\\x3e",
    "*/__trap(1)/*", "//", "/*", "\\", "\\\\", "\\n", "line\u2028separator", "paragraph\u2029separator", "\"});__trap(1);({\"", "]});__trap(1)//",
    "javascript:__trap(1)", "JaVaScRiPt:__trap(1)", "java\u200bscript:__trap(1)", "data:text/html,<script>__trap(1)</script>", "vbscript:x",
    "expression(__trap(1))", "url(javascript:__trap(1))", "//evil.example/", "https://evil.example/?q=1&r=2#x", "ftp://evil.example",
    "file:///etc/passwd", "mailto:a@evil.example", "__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "valueOf", "length",
    "undefined", "null", "NaN", "Infinity", "-Infinity", "true", "false", "None", "nil", "NULL", "Null", "eval", "window", "$&", "$1", "$$", "$`",
)
TEMPLATES = (
    "{{ 7 * 7 }}", "{{7*7}}", "{% raw %}", "{% include '/etc/passwd' %}", "{# a comment #}", "{{ config }}", "{{ ''.__class__.__mro__ }}",
    "{%", "%}", "{{", "}}", "{word}", "{", "}", "{0}", "{0.__class__}", "{word!r:>10}", "%s", "%(word)s", "%d%n%x", "%%", "%", "%00", "%2e%2e%2f",
    "#{7*7}", "<%= 7*7 %>", "${7*7}", "@{7*7}", "$(id)", "`id`", "; ls", "| ls", "&& ls", "> file", "--help", "-rf", "$HOME", "~", "*", "?", "!!",
    "\\frac{a}{b}", "$\\frac{", "$x^2$", "$", "a $ b $ c", "\\$", "$_$", "^_{}", "_", "a_b_c", "\\text{x}", "\\(x\\)", "\\[x\\]", "\\input{/etc/passwd}",
)
PATHS = (
    "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "C:\\Windows\\System32", "\\\\server\\share", "./.", ".", "..", "...", "/", "//x", "a/b",
    "CON", "NUL", "aux.html", "index.html", "con.webp", ".git", ".htaccess", "a:b", "a|b", "a?b=c", "a#b", "a%2Fb", "a,b", "a;b", "+", "#", "#word=x",
)
TABLES = (
    "=1+1", "=cmd|' /C calc'!A0", "=HYPERLINK(\"https://evil.example\")", "+1+1", "-1+1", "@SUM(A1:A9)", "＝1+1", "＋1", "－1", "＠x", "a,b\"c\"", "\",\"",
    "a;b", "''; DROP TABLE words; --", "' OR '1'='1", "1; SELECT 1", "0", "-0", "007", "1e309", "0x1F", "1_000", "1,000.5", "½", "١٢٣", "1/2/2003",
)
MARKDOWN = (
    "**bold**", "_it_", "# heading", "> quote", "- item", "1. item", "| a | b |", "```", "~~~", "---", "[x](javascript:__trap(1))", "<https://x>",
    "[a]: /x", "![]()", "\\*", "a  ", "&copy;", "<!-- x -->", "[", "](", "!["
)
WRITING = (
    "שלום", "مرحبا", "a שלום b", "\u202eevil\u202c", "\u202e", "\u2066x", "\u2069", "\u200f", "\u200e", "x\u202ey", "\u061c", "نص\u200cها",
    "a\u200bb", "\u200b", "\u200d", "\ufeffx", "x\ufeff", "a\u00adb", "\u2060", "a\u034fb", "e\u0301", "é", "ﬁ", "fi", "Å", "\u212b", "A\u030a", "ſ", "ß",
    "ẞ", "İ", "ı", "i\u0307", "Ω", "\u2126", "가", "\u1100\u1161", "ヷ", "ﾊﾟ", "パ", "漢字", "漢\U000e0100", "葛󠄀", "中文 字", "日本語テキスト", "ไทย", "हिन्दी",
    "தமிழ்", "ქართული", "ελληνικά", "кириллица", "аdmin", "Z̷̡͔a̴l̸g̵o̶", "Z" + "\u0301\u0323\u0334" * 60, "\u0301", "\u20dd", "👍", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇺🇸", "🇺",
    "1️⃣", "☺︎", "☺️", "🧑🏿‍🚀", "😀" * 50, "𝕬𝖇𝖈", "𓀀", "𠜎", "\U0001f9ff\U000e0067\U000e007f", "a\u00a0b", "a\u3000b", "a\u2003b", "a\u202fb", "a  b",
    "a\u1680b", "\u2800", "\u3164", "\u115f", "\ue000", "\uf8ff", "\U000f0000", "\U0010fffd", "\u0378", "\U000e0fff", "\ufffd", "\ufff9x\ufffb", "◌", "№",
    "ａｂｃ", "﷽", "ℝ", "⟨U+0007⟩", "Ġ", "▁", "##", "<s>", "</s>", "<end>", "<unk>", "[CLS]", "Ċ", "␣",
)
LONG = ("a" * 200, "漢" * 200, "<b>" * 66, "word " * 39 + "word", "-" * 200, "W" * 150 + "\u0301" * 50, "&" * 200, "\U0001f600" * 200, "." * 200)
NONCHARACTERS = ("\ufffe", "a\uffffb", "\ufdd0", "\U0001fffe", "\U0010ffff")
"""A configuration may refuse them."""
CONTROLS = ("\x00", "a\x07b", "\x1b[31mred", "\x7f", "\x85", "\x9b31m", "a\tb", "a\nb", "a\rb", "\x0c", "\x08")
"""A configuration refuses them."""
# fmt: on

KINDS = (MARKUP, SCRIPTS, TEMPLATES, PATHS, TABLES, MARKDOWN, WRITING, LONG, NONCHARACTERS, CONTROLS)
STRINGS = tuple(dict.fromkeys(chain(*KINDS)))
FRAGMENTS = (*MARKUP, *SCRIPTS, *TEMPLATES, *TABLES, *WRITING[:90], " ", "a", "word")
"""What made-up strings consist of."""
