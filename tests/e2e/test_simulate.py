"""espalier simulate: a grid and made-up cells in virtual time; what it prints adds up; bad options are refused in one line."""
import json
from common import *


def simulate(*args, **kw):
    return json.loads(run("simulate", *args, "--json", **kw).stdout)


def refused(words, *args):
    done = run("simulate", *args, check=2)
    expect(done.stderr.count("\n") == 1 and words in done.stderr, f"{args}: wanted '{words}':\n{done.stderr}")
    expect(done.stdout == "", f"{args}: prints\n{done.stdout}")


with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    grid = small_grid(s)
    plan = json.loads(run("plan", grid, "--rate", 100, "--json", env=env, cwd=s).stdout)
    one = simulate(grid, "--ranks", 1, "--noise", 0, "--rate", 100, env=env, cwd=s)
    expect(one["cells"] == one["recorded"] == plan["cells"], f"{one['cells']} cells, the plan has {plan['cells']}")
    # one rank takes what the plan says, and a little for messages
    expect(0 <= one["makespan_seconds"] - plan["seconds"] < 0.05 * one["leases"] + 0.1,
           f"makespan {one['makespan_seconds']}, the plan's {plan['seconds']}")
    expect(one["repeated_seconds"] == 0 and one["lost_seconds"] < 1e-6, f"one rank repeats or loses: {one}")
    dense = write(f"{s}/dense.yaml", open(grid).read().replace("  draws: 2\n", "  draws: 2\n  propagate: dense\n"))
    shared = simulate(dense, "--ranks", 1, "--noise", 0, "--rate", 100, env=env, cwd=s)
    expect(shared["recorded"] == one["recorded"] and shared["useful_seconds"] < one["useful_seconds"],
           "sharing passes saves nothing")
    slow = simulate(grid, "--ranks", 1, "--noise", 0, "--rate", 50, env=env, cwd=s)
    expect(abs(slow["useful_seconds"] / one["useful_seconds"] - 2) < 1e-6, "half the rate, not twice the time")
    measured = json.loads(run("plan", grid, "--json", env=env, cwd=s).stdout)
    expect(measured["rate"] > 0 and abs(measured["seconds"] * measured["rate"] / (plan["seconds"] * plan["rate"]) - 1) < 1e-9,
           f"{measured['seconds']} s at {measured['rate']}, {plan['seconds']} s at {plan['rate']}")
    text = run("simulate", grid, "--ranks", 3, env=env, cwd=s).stdout
    expect(all(word in text for word in ("makespan:", "efficiency:", "lost work:", "master:")), text)
    expect(sorted(os.listdir(s)) == ["data", "dense.yaml", "small.yaml"], f"files were written: {os.listdir(s)}")

    made = ("--cells", 4000, "--ranks", 100, "--seconds", 30)
    calm = simulate(*made)
    expect(calm["least_seconds"] <= calm["makespan_seconds"] and 0.8 < calm["efficiency"] <= 1, str(calm))
    expect(abs(calm["useful_seconds"] / (100 * calm["makespan_seconds"]) - calm["efficiency"]) < 1e-9, str(calm))
    hard = simulate(*made, "--mtbf", "2:00:00", "--time-limit", "15:00", "--lease-timeout", 60)
    expect(hard["recorded"] + hard["given_up"] == 4000 and not hard["stuck"], str(hard))
    expect(hard["jobs"] > 1 and hard["ranks_lost"] > 0 and hard["leases_again"] > 0 and hard["lost_seconds"] > 0, str(hard))
    expect(hard["makespan_seconds"] > calm["makespan_seconds"], "failures cost nothing")
    again = simulate(*made, "--mtbf", "2:00:00", "--time-limit", "15:00", "--lease-timeout", 60)
    real = ("event_us", "master_load")
    expect({k: v for k, v in hard.items() if k not in real} == {k: v for k, v in again.items() if k not in real},
           "the same seed, another run")
    other = simulate(*made, "--seed", 1)
    expect(other["makespan_seconds"] != calm["makespan_seconds"], "another seed, the same run")
    short = run("simulate", *made, "--time-limit", 5).stdout
    expect("does not end within a job" in short, short)

    refused("unknown option --rank (did you mean --ranks?)", grid, "--rank", 3)
    refused("unknown option --mtfb (did you mean --mtbf?)", grid, "--ranks", 3, "--mtfb", 3)
    refused("--ranks is missing", grid)
    refused("--ranks: '0' (expected a whole number from 1", grid, "--ranks", 0)
    refused("option --ranks is given twice", grid, "--ranks", 3, "--ranks", 4)
    refused("--mtbf: 'often' (expected seconds or", grid, "--ranks", 3, "--mtbf", "often")
    refused("--time-limit: '0' (expected seconds or", grid, "--ranks", 3, "--time-limit", 0)
    refused("--noise: '-1' (expected a number from 0 to 3)", grid, "--ranks", 3, "--noise=-1")
    refused("an experiment file or --cells is missing", "--ranks", 3)
    refused("--cells stands in place of an experiment, not beside", grid, "--cells", 10, "--ranks", 3)
    refused("--spread goes with --cells", grid, "--ranks", 3, "--spread", 1)
    refused("simulate takes one experiment", grid, grid, "--ranks", 3)
    refused("absent.yaml", f"{s}/absent.yaml", "--ranks", 3)
    print(f"{one['cells']} cells of a grid; made up, efficiency {calm['efficiency']:.3f} and {hard['efficiency']:.3f} with failures")
