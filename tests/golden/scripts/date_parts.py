"""Parts of the calendar, as pandas tells them; weekday 0 is Monday, the week is that of ISO 8601."""

import golden
import pandas as pd

TIMES = [
    "1970-01-01", "1969-12-31T23:59:59.250000", "2000-02-29T12:30:15", "1900-02-28", "1900-03-01", "2005-01-01",
    "2008-12-29T00:00:01", "2010-01-03T06:07:08.000009", "2020-12-31T23:00", "2024-02-29", "2024-07-06T18:45:59.5",
    "2099-11-30T01:02:03", "1788-05-05T05:05:05",
]


def main():
    times = pd.Series([pd.Timestamp(text) for text in TIMES])
    at = times.dt
    expected = {
        "year": at.year, "quarter": at.quarter, "month": at.month, "week": at.isocalendar().week, "day_of_year": at.day_of_year,
        "day": at.day, "weekday": at.day_of_week, "weekend": (at.day_of_week >= 5).astype(int), "hour": at.hour,
        "minute": at.minute, "second": at.second + at.microsecond / 1e6,
    }
    expected = {part: [float(value) for value in values] for part, values in expected.items()}
    case = golden.case("times", {"times": TIMES}, expected)
    golden.write(__file__, f"pandas {pd.__version__}", [case], 0.0, 0.0)


if __name__ == "__main__":
    main()
