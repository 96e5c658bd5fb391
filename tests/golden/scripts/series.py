"""Features of the past: shift, rolling, expanding and exponential means of pandas per entity, and the end of a
Savitzky-Golay filter by the coefficients of scipy. Moments differ within an entity, and rows come in no order.

pandas' window of days ends with the row itself; here the row itself is left out, and one exactly as long ago counts.
"""

import datetime

import golden
import numpy as np
import pandas as pd
import scipy
from scipy.signal import savgol_coeffs


def of_entity(rows):
    x = rows["x"]
    before = x.shift(1)
    out = pd.DataFrame(index=rows.index)
    out["lag_2"] = x.shift(2)
    out["difference_1"] = x.shift(1) - x.shift(2)
    out["last_known"] = before.ffill()
    out["mean_4"] = before.rolling(4, min_periods=1).mean()
    out["std_4"] = before.rolling(4, min_periods=1).std()
    most, count = [], []
    for at in rows["at"]:
        window = x[(rows["at"] < at) & (rows["at"] >= at - pd.Timedelta(days=3))]
        most.append(window.max())
        count.append(window.count())
    out["max_3_days"], out["count_3_days"] = most, count
    out["mean_all"] = before.expanding(min_periods=1).mean()
    out["min_all"] = before.expanding(min_periods=1).min()
    out["ewma"] = x.ewm(halflife=3.0, ignore_na=False).mean().shift(1)
    weights = savgol_coeffs(5, 2, pos=4, use="dot")
    out["savgol"] = [
        float(np.dot(weights, x.iloc[i - 5 : i])) if i >= 5 else np.nan for i in range(len(x))
    ]
    return out


def main():
    rng = golden.generator()
    n = 60
    hours = rng.permutation(24 * 30)[:n]
    start = datetime.datetime(2024, 2, 20)
    times = [(start + datetime.timedelta(hours=int(hour))).isoformat() for hour in hours]
    x = np.round(rng.standard_normal(n), 3)
    x[rng.random(n) < 0.15] = np.nan
    who = rng.choice(["anna", "ben", "cleo"], n)
    table = pd.DataFrame({"who": who, "at": pd.to_datetime(times), "x": x})
    parts = [of_entity(rows.sort_values("at")) for _, rows in table.groupby("who")]
    expected = pd.concat(parts).sort_index()
    given = {"who": list(who), "at": times, "x": x}
    case = golden.case("three entities", given, {name: expected[name].to_numpy(float) for name in expected})
    golden.write(__file__, f"pandas {pd.__version__}, scipy {scipy.__version__}", [case], 1e-9, 1e-9)


if __name__ == "__main__":
    main()
