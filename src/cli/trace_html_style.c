#include "cli/trace_page.h"

/* The page's only style sheet and script. Colours are pairs for light and dark; each pair of text and
 * ground has a contrast of at least 4.5:1. */
/* clang-format off */
const char *const page_style[] = {
    ":root{--bg:#fbfaf7;--card:#fff;--ink:#1d2129;--soft:#5a6270;--line:#dcd9d1;--client:#1d5fae;--clientbg:#eaf2fc;"
    "--server:#0b6b50;--serverbg:#e6f4ee;--key:#8a5200;--keybg:#fdf1dc;--bad:#a9201b;--badbg:#fdeceb;--good:#0b6b50;"
    "--val:#7a2a74;--hex:#2b3340;--k0:#5a6270;--k1:#8a5200;--k2:#8a5200;--k3:#0b6b50}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#14171c;--card:#1c2027;--ink:#e6e8ec;--soft:#a3abb8;--line:#343a45;"
    "--client:#83b9ff;--clientbg:#1a2736;--server:#63d3ad;--serverbg:#16291f;--key:#f0b95c;--keybg:#2e2615;--bad:#ff928a;"
    "--badbg:#361b1a;--good:#63d3ad;--val:#e7a3df;--hex:#ccd3de;--k0:#a3abb8;--k1:#f0b95c;--k2:#f0b95c;--k3:#63d3ad}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%}\n",
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\n",
    "main{max-width:1180px;margin:0 auto;padding:24px 20px 60px}\n",
    "code,pre,.b,.count,svg .v,.time,.when{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}\n",
    "h1{font-size:clamp(1.4rem,4.5vw,2.2rem);line-height:1.2;margin:.1em 0;overflow-wrap:anywhere}\n",
    "h2{font-size:1.35rem;margin:2.2em 0 .5em}\nh3,h4{margin:0}\n",
    ".brand{margin:0;color:var(--soft);letter-spacing:.08em;text-transform:uppercase;font-size:.78rem}\n",
    ".lead,.hint,.legend{color:var(--soft);max-width:72ch}\n",
    "a{color:var(--client)}\n",
    ".sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}\n",
    "small,.why{display:block;color:var(--soft);font-size:.875rem;line-height:1.4;font-weight:400}\n",
    ".verdict{background:var(--card);border:1px solid var(--line);border-top:4px solid var(--good);border-radius:10px;padding:4px 22px 14px;margin-top:24px}\n",
    ".verdict h2{margin:.7em 0 .4em}\n.verdict.failed{border-top-color:var(--bad)}\n",
    "dl{margin:0}\n.verdict dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:14px 26px}\n",
    "dt{color:var(--soft);font-size:.82rem}\ndd{margin:0;font-weight:600;overflow-wrap:anywhere}\n",
    ".points{list-style:none;padding:0;margin:18px 0 6px;columns:2 400px;column-gap:32px}\n",
    ".points li{padding:3px 0 3px 26px;position:relative;break-inside:avoid;font-size:.94rem}\n",
    ".points li:before{position:absolute;left:0;font-weight:700}\n",
    ".good:before{content:\"\\2713\";color:var(--good)}\n.weak:before{content:\"!\";color:var(--key);left:6px!important}\n",
    ".failure{background:var(--badbg);color:var(--bad);border-radius:8px;padding:10px 14px;white-space:pre-wrap;overflow-wrap:anywhere}\n",
    "pre.failure{font-size:.85rem}\n",
    /* ladder */
    ".ladder{position:relative;padding:0 12px;max-width:880px;margin:0 auto}\n",
    ".ladder:before,.ladder:after{content:\"\";position:absolute;top:34px;bottom:0;width:3px;border-radius:2px}\n",
    ".ladder:before{left:12px;background:var(--client)}\n.ladder:after{right:12px;background:var(--server)}\n",
    ".ends{display:flex;justify-content:space-between;margin:0 -6px 6px;color:var(--client)}\n.ends b+b{color:var(--server)}\n",
    ".ladder ol{list-style:none;margin:0;padding:6px 0 14px}\n",
    ".ladder li{margin:0 3px;padding:10px 20px 4px;position:relative;display:grid;grid-template-columns:auto 1fr auto;gap:2px 12px;align-items:baseline;--c:var(--client)}\n",
    ".ladder li.from-server{--c:var(--server)}\n",
    ".when,.ladder .count{font-size:.76rem;color:var(--soft);white-space:nowrap}\n",
    ".chips{grid-column:2;grid-row:1;text-align:center;line-height:2}\n.ladder .when{grid-column:1;grid-row:1}\n.ladder .count{grid-column:3;grid-row:1}\n",
    ".ladder li.from-server .when{grid-column:3;text-align:right}\n.ladder li.from-server .count{grid-column:1}\n",
    ".shaft{grid-column:1/4;grid-row:2;height:2px;background:var(--c);margin:4px -20px;position:relative}\n",
    ".shaft:after{content:\"\";position:absolute;right:0;top:-5px;border:6px solid transparent;border-left:11px solid var(--c);border-right:0}\n",
    ".from-server .shaft:after{right:auto;left:0;border:6px solid transparent;border-right:11px solid var(--c);border-left:0}\n",
    ".chips a,.legend span,.lock{border:1px solid currentColor;border-radius:99px;padding:2px 9px;font-size:.8rem;text-decoration:none;white-space:nowrap;color:var(--k0)}\n",
    ".chips a:hover,.chips a:focus{text-decoration:underline}\n",
    ".k0{color:var(--k0)!important}.k1{color:var(--k1)!important}.k2{color:var(--k2)!important}.k3{color:var(--k3)!important}\n",
    ".chips .k2,.legend .k2,.lock.k2,.chips .k1,.lock.k1{background:var(--keybg)}\n.chips .k3,.legend .k3,.lock.k3{background:var(--serverbg)}\n",
    ".chips .k0,.legend .k0,.lock.k0{border-style:dashed}\n.legend{text-align:center;margin-left:auto;margin-right:auto;line-height:2}\n",
    /* conversation */
    ".flight{--c:var(--client);--cbg:var(--clientbg);border-left:4px solid var(--c);padding:2px 0 4px 14px;margin:22px 0}\n",
    ".flight.from-server{--c:var(--server);--cbg:var(--serverbg)}\n",
    ".flight h3{display:flex;justify-content:space-between;gap:12px;color:var(--c);font-size:1.05rem;margin:2px 0 8px}\n",
    ".time{color:var(--soft);font-size:.8rem;font-weight:400}\n",
    "summary{cursor:pointer;list-style:none;position:relative;padding-left:18px}\nsummary::-webkit-details-marker{display:none}\n",
    "summary:before{content:\"\";position:absolute;left:3px;top:.45em;border:5px solid transparent;border-left:7px solid var(--c);border-right:0}\ndetails[open]>summary:before{transform:rotate(90deg)}\n",
    "details.message{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:8px 0}\n",
    "details.message>summary{padding:10px 14px 10px 32px}\n",
    "details.message>summary:before{left:14px;top:17px}\n",
    "details.message[open]>summary{background:var(--cbg);border-radius:8px 8px 0 0}\n",
    "summary:focus-visible,a:focus-visible,button:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--client);outline-offset:2px}\n",
    "h4{display:inline;font-size:1.02rem}\n",
    ".count{color:var(--soft);font-size:.78rem;white-space:nowrap}\n.count:before{content:\" \"}\n",
    ".lock{font-size:.72rem;padding:1px 8px}\n",
    ".body{padding:4px 14px 12px}\n",
    "details.record{font-size:.86rem;color:var(--soft);margin:8px 0 -2px;padding-left:2px}\n",
    "details.record[open]{margin-bottom:8px}\n",
    "details.record>.body{border:1px dashed var(--line);border-radius:8px;color:var(--ink);padding-top:8px;margin-top:4px}\n",
    "details.appdata{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px 14px;margin:8px 0;font-size:1rem;color:var(--ink)}\n",
    ".name{font-weight:600;overflow-wrap:anywhere}\n.val{color:var(--val);overflow-wrap:anywhere}\n",
    ".rfc{font-size:.75rem;margin-left:.6em;white-space:nowrap}\n.rfc,.rfc a{color:var(--soft)}\n",
    ".leaf{display:grid;grid-template-columns:minmax(0,32.5rem) minmax(0,1fr);gap:4px 20px;padding:6px 0;border-top:1px solid var(--line);align-items:start}\n",
    ".leaf code,.body>code,code.long{font-size:.76rem;line-height:1.55;color:var(--hex);display:block}\n",
    "code.long{max-height:15.5em;overflow:auto;border:1px solid var(--line);border-radius:6px;padding:2px 6px}\n",
    "code i{font-style:normal;display:inline-block;white-space:pre;margin-right:.6em}\ncode b{font-weight:400;color:var(--soft)}\n",
    ".what p{margin:.15em 0 0;color:var(--soft);font-size:.875rem;line-height:1.4}\n",
    ".again{padding:0;border-top:0}\n.again .name{font-weight:400;color:var(--soft)}\n",
    ".gap .name{color:var(--bad)}\n",
    ".group{margin:6px 0 6px;padding-left:12px;border-left:2px solid var(--line)}\n.gh{margin:4px 0}\n",
    "details.ext{border-top:1px solid var(--line);padding:6px 0}\n",
    "details.ext[open]{padding-left:12px;border-left:2px solid var(--c)}\n",
    ".work{list-style:none;margin:10px 0;padding:8px 14px;background:var(--keybg);border-radius:8px;font-size:.9rem}\n",
    ".work li{padding:2px 0}\n.work .secret{margin:0 .3em}\n.work .step .name{font-weight:400;color:var(--soft)}\n",
    ".secret{font-size:.76rem;color:var(--key);overflow-wrap:anywhere}\n",
    ".rekey{text-align:center;margin:14px 0;position:relative;font-size:.9rem}\n",
    ".rekey:before{content:\"\";position:absolute;left:0;right:0;top:50%;border-top:2px dashed var(--key)}\n",
    ".rekey span{position:relative;background:var(--bg);padding:2px 12px;border:1px solid var(--key);border-radius:99px;display:inline-block}\n",
    "pre.data{font-size:.8rem;white-space:pre-wrap;overflow-wrap:anywhere;max-height:22em;overflow:auto;margin:6px 0;padding:8px;border:1px solid var(--line);border-radius:6px}\n",
    ".certificate{margin:8px 0;padding:10px 12px;background:var(--bg);border-radius:8px;font-size:.875rem}\n",
    ".certificate div{display:grid;grid-template-columns:7.5rem minmax(0,1fr);gap:8px;padding:1px 0}\n.certificate dd{font-weight:400}\n",
    /* keys */
    ".keys{display:grid;grid-template-columns:minmax(0,460px) minmax(0,1fr);gap:28px;align-items:start}\n",
    ".schedule{width:100%;height:auto;max-width:460px}\n",
    "svg rect{fill:var(--card);stroke:var(--line);stroke-width:1.5}\nsvg rect.s{fill:var(--keybg);stroke:var(--key)}\nsvg rect.i{stroke-dasharray:4 3;stroke:var(--soft)}\n",
    "svg text{fill:var(--ink);font-size:12.5px;font-weight:600}\nsvg .f{fill:var(--soft);font-size:10.5px;font-weight:400}\nsvg .v{fill:var(--key);font-size:11px;font-weight:400}\n",
    "svg .l{fill:none;stroke:var(--soft);stroke-width:1.5}\nsvg .h{fill:var(--soft)}\nsvg .spine{stroke:var(--key);stroke-width:2.5}\n",
    ".secrets>div{padding:7px 0;border-top:1px solid var(--line)}\n.secrets dt{color:var(--ink);font-weight:600}\n.secrets dd{font-weight:400}\n",
    "button{font:inherit;font-size:.9rem;padding:4px 12px;border:1px solid var(--line);border-radius:6px;background:var(--card);color:var(--ink);cursor:pointer}\n",
    "footer{margin-top:48px;color:var(--soft);font-size:.85rem;border-top:1px solid var(--line);padding-top:12px}\n",
    "@media(max-width:760px){main{padding:14px 12px 40px}.leaf{grid-template-columns:minmax(0,1fr)}.leaf .what{grid-row:1}.again{grid-template-columns:3.6rem minmax(0,1fr)}.again .what{grid-column:2}"
    ".keys{grid-template-columns:minmax(0,1fr)}.verdict{padding:2px 14px 10px}.verdict dl{grid-template-columns:1fr;gap:9px}"
    ".flight{padding-left:9px}.body{padding:4px 9px 10px}.certificate div{grid-template-columns:1fr;gap:0}"
    ".ladder{padding:0 2px}.ladder:before{left:2px}.ladder:after{right:2px}.ladder li{padding:8px 14px 4px}.shaft{margin:4px -14px}"
    ".chips{grid-column:1/4!important;grid-row:2}.shaft{grid-row:3}.ends{margin:0 0 6px}.group{padding-left:8px}details.ext[open]{padding-left:8px}}\n",
    "@media print{details>summary:before{display:none}.leaf{break-inside:avoid}}\n",
    NULL,
};

const char page_script[] =
"(function(){\n"
"var all=document.getElementById('all');\n"
"if(all){all.hidden=false;all.onclick=function(){\n"
" var open=all.textContent.indexOf('Open')===0;\n"
" document.querySelectorAll('details.message,details.ext').forEach(function(d){d.open=open});\n"
" all.textContent=open?'Close everything':'Open everything';}}\n"
"function follow(){var d=location.hash.length>1&&document.getElementById(location.hash.slice(1));\n"
" if(d&&d.tagName==='DETAILS'){d.open=true;d.scrollIntoView()}}\n"
"addEventListener('hashchange',follow);follow();\n"
"})();\n";
/* clang-format on */
