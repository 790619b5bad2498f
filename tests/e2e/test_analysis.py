"""analysis/: figures.py and start.py on files made here, in both formats; the same results give the same bytes."""
import re

from common import *

if not have_h5py():
    skip("h5py is absent (apt-get install python3-h5py)")
try:
    import matplotlib  # noqa: F401
except ImportError:
    skip("matplotlib is absent (apt-get install python3-matplotlib)")
import made_results  # noqa: E402

ANALYSIS = f"{SOURCE}/analysis"


def script(s, name, *args, status=0):
    env = {**os.environ, "MPLCONFIGDIR": f"{s}/matplotlib", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-W", "error", f"{ANALYSIS}/{name}", *args], capture_output=True, text=True, env=env)
    expect(done.returncode == status, f"{name} {args}: status {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    return done


def figures(s, folder, *args):
    written = script(s, "figures.py", f"{s}/r.h5", "-o", folder, *args).stdout.split("\n")[:-1]
    expect(sorted(written) == sorted(os.path.join(folder, f) for f in os.listdir(folder)), "what is printed is what is written")
    return {os.path.basename(p): open(p, "rb").read() for p in written}


with Scratch() as s:
    made_results.make(f"{s}/r.h5", masks=True, hostile=True, attribution=True)
    pdf = figures(s, f"{s}/pdf")
    # 3 methods and magnitude at 2 sparsities; masks of the 3 that are calibrated; attributions of 2 data sets
    kinds = [sum(n.startswith(k) for n in pdf) for k in ("heat-", "spread-", "layers-", "overlap-", "text-", "words-", "trace-", "link-")]
    expect(kinds == [8, 2, 2, 6, 2, 2, 4, 1], f"{kinds}: {sorted(pdf)}")
    expect(all(b.startswith(b"%PDF") for b in pdf.values()), "PDF")
    expect(pdf == figures(s, f"{s}/again"), "the same results gave other bytes")
    svg = figures(s, f"{s}/svg", "--format", "svg")
    expect([n[:-3] for n in svg] == [n[:-3] for n in pdf] and all(b"<svg" in b and b"window.hurt = 1</script>" not in b for b in svg.values()), "SVG")
    heat = next(b for n, b in sorted(svg.items()) if n.startswith("heat-wanda_0.5")).decode()
    expect("n = 1/2" in heat, "a mean over fewer draws than planned does not say so")
    passages = svg["text-task_1.svg"].decode()
    # 4 methods lost something of every word; of the dense model a passage's loudest token has the full colour
    expect(passages.count(">dense<") == 8 and passages.count(">wanda<") == 8 and passages.count("fill: #f0953f") == 8, "coloured text")
    expect(all(f">{w}: block" in passages for w in ("größe", "refund", "don't")) and ">größe<" in passages, "words of the text")
    found = [float(x) for x in re.findall(r"Spearman (\S+) \(n = 95\)", svg["link-nano.svg"].decode())]
    expect(len(found) == 3 and found[0] > max(found[1:]) > 0.3, f"correlations: {found}")
    out = script(s, "start.py", f"{s}/r.h5", f"{s}/plot.svg").stdout
    expect(re.search(r"wanda +0\.5 +16 +set_2 +[-+]0\.\d+ ± 0\.\d+  n = 2/2", out), out)
    expect(re.search(r"wanda against sparsegpt at 0\.5, .* p = [01]", out) and os.path.exists(f"{s}/plot.svg"), out)
    expect("of 153 cells have no result" in out, out)
    write(f"{s}/bad.h5", "not HDF5")
    expect("figures.py: " in script(s, "figures.py", f"{s}/bad.h5", "-o", f"{s}/none", status=1).stderr, "a bad file")
    expect(not os.path.exists(f"{s}/none"), "a bad file leaves nothing behind")
