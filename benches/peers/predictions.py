"""Who stays away and who brings how much: methods judged on one window of a real shop.

predictions.py judge SHOP DAY DAYS ORDERS.csv OURS.csv OUT.csv    judges all methods, and appends a row for each
predictions.py table IN.csv OUT.md                                the table of all windows

ORDERS has customer, ordered_on, amount by day; OURS has customer, churn, churn_probability, future_value. A method sees
nothing after DAY. A purchase is a day with a turnover above 0. Peers are fitted the way their users do: snapshots of
inner days, features of the history, defaults of the library.
"""

import csv
import os
import sys
import warnings

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import rankdata, spearmanr

warnings.filterwarnings("ignore")
WINDOWS = (14, 30, 60, 90, 180, 365)


class Shop:
    def __init__(self, path):
        frame = pd.read_csv(path, dtype={"customer": str}, parse_dates=["ordered_on"])
        self.day0 = frame.ordered_on.min()
        frame["t"] = (frame.ordered_on - self.day0).dt.days
        self.days = {c: (g.t.to_numpy(), g.amount.to_numpy()) for c, g in frame.groupby("customer", sort=True)}

    def day(self, text):
        return (pd.Timestamp(text) - self.day0).days

    def known(self, t):
        """Customers with a purchase up to day t."""
        return [c for c, (d, m) in self.days.items() if ((d <= t) & (m > 0)).any()]

    def outcome(self, customers, t, horizon):
        bought, turnover = [], []
        for c in customers:
            d, m = self.days[c]
            inside = (d > t) & (d <= t + horizon)
            bought.append((inside & (m > 0)).any())
            turnover.append(m[inside].sum())
        return ~np.array(bought), np.array(turnover, dtype=float)

    def features(self, customers, t):
        rows = []
        for c in customers:
            d, m = self.days[c]
            seen = d <= t
            d, m = d[seen], m[seen]
            buys = d[m > 0]
            recency, tenure, n = t - buys[-1], t - buys[0], len(buys)
            row = [np.log1p(recency), np.log1p(tenure), np.log1p(n), np.log1p(max(m.sum(), 0)), np.log1p(max(m[m > 0].mean(), 0))]
            gap = (buys[-1] - buys[0]) / (n - 1) if n > 1 else 0
            row += [float(n > 1), np.log((recency + 1) / (gap + 1)) if n > 1 else 0.0, np.log1p(gap)]
            for w in WINDOWS:
                row += [np.log1p((buys > t - w).sum()), np.log1p(max(m[d > t - w].sum(), 0))]
            rows.append(row)
        return np.array(rows)

    def summary(self, customers, t):
        """x, tx, T in weeks, mean spend of the purchases after the first."""
        rows = []
        for c in customers:
            d, m = self.days[c]
            keep = (d <= t) & (m > 0)
            d, m = d[keep], m[keep]
            rows.append((len(d) - 1, (d[-1] - d[0]) / 7, (t - d[0]) / 7, m[1:].mean() if len(d) > 1 else 0.0))
        return np.array(rows, dtype=float).T


def snapshots(shop, t, horizon):
    """Inner days with a whole horizon after them, up to four, and a log of 60 days before them."""
    step = max(horizon // 2, 30)
    days = [t - horizon - i * step for i in range(4) if t - horizon - i * step >= 60]
    return days


def lifetimes_models(x, tx, age):
    from lifetimes import BetaGeoFitter, ParetoNBDFitter

    out = {}
    for name, fitter in (("BG/NBD", BetaGeoFitter), ("Pareto/NBD", ParetoNBDFitter)):
        for penalty in (0.0, 0.001, 0.01):
            try:
                model = fitter(penalizer_coef=penalty)
                model.fit(x, tx, age)
                out[name] = model
                break
            except Exception:
                continue
    return out


def none_in(model, name, x, tx, age, h):
    """P(no purchase within h): a ratio of likelihoods for BG/NBD, lifetimes' own function for Pareto/NBD."""
    if name == "Pareto/NBD":
        return np.array([float(np.squeeze(model.conditional_probability_of_n_purchases_up_to_time(0, h, *v))) for v in zip(x, tx, age)])
    r, alpha, a, b = (model.params_[k] for k in ("r", "alpha", "a", "b"))
    stay = -(r + x) * np.log(alpha + age)
    stay_h = -(r + x) * np.log(alpha + age + h)
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + tx), -np.inf)
    return np.exp(np.logaddexp(stay_h, left) - np.logaddexp(stay, left))


def churn_methods(shop, t, horizon, customers):
    out = {}
    x, tx, age, spend = shop.summary(customers, t)
    models = lifetimes_models(x, tx, age)
    for name, model in models.items():
        try:
            out[name + " (lifetimes)"] = none_in(model, name, x, tx, age, horizon / 7)
        except Exception:
            pass
    days = snapshots(shop, t, horizon)
    now = shop.features(customers, t)
    rows = [(shop.known(d), d) for d in days]
    rows = [(shop.features(c, d), *shop.outcome(c, d, horizon)) for c, d in rows if len(c) >= 30]
    values = {}
    if rows:
        features, gone, turnover = (np.concatenate([r[i] for r in rows]) for i in range(3))
        values["snapshots"] = (features, turnover)
        if 0 < gone.mean() < 1:
            from lightgbm import LGBMClassifier
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler

            recency = make_pipeline(StandardScaler(), LogisticRegression())
            out["recency"] = recency.fit(features[:, :1], gone).predict_proba(now[:, :1])[:, 1]
            line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
            out["logistic regression"] = line.fit(features, gone).predict_proba(now)[:, 1]
            trees = LGBMClassifier(n_estimators=200, learning_rate=0.03, num_leaves=15, min_child_samples=50, verbose=-1, n_jobs=2)
            out["LightGBM"] = trees.fit(features, gone).predict_proba(now)[:, 1]
    return out, models, (x, tx, age, spend), values, now


def value_methods(shop, t, horizon, customers, models, summary, values, now):
    x, tx, age, spend = summary
    out = {}
    past = np.array([shop.days[c][1][(shop.days[c][0] <= t) & (shop.days[c][0] > t - 365)].sum() for c in customers])
    log = min(365, t)
    out["last year's turnover"] = np.maximum(past, 0) * horizon / log
    from lifetimes import GammaGammaFitter

    try:
        gg = GammaGammaFitter()
        keep = (x > 0) & (spend > 0)
        gg.fit(x[keep], spend[keep])
        expected = gg.conditional_expected_average_profit(np.where(keep, x, 0), np.where(keep, spend, 0))
        for name, model in models.items():
            n = model.conditional_expected_number_of_purchases_up_to_time(horizon / 7, x, tx, age)
            out[name + " (lifetimes)"] = np.nan_to_num(np.asarray(n) * np.asarray(expected), nan=0.0, posinf=0.0)
    except Exception:
        pass
    if "snapshots" in values:
        from lightgbm import LGBMRegressor

        features, turnover = values["snapshots"]
        trees = LGBMRegressor(objective="tweedie", n_estimators=200, learning_rate=0.03, num_leaves=15, min_child_samples=50, verbose=-1, n_jobs=2)
        out["LightGBM"] = trees.fit(features, np.maximum(turnover, 0)).predict(now)
    return out


def auc(p, y):
    ranks = rankdata(p)
    n1, n0 = y.sum(), (~y).sum()
    return (ranks[y].sum() - n1 * (n1 + 1) / 2) / (n1 * n0) if n1 and n0 else np.nan


def slope(p, y):
    from sklearn.linear_model import LogisticRegression

    z = logit(np.clip(p, 1e-6, 1 - 1e-6))[:, None]
    if len(set(y)) < 2 or z.std() < 1e-9:
        return np.nan
    return LogisticRegression(C=1e9).fit(z, y).coef_[0, 0]


def judge(name, day, days, orders, ours_path, out_path):
    shop = Shop(orders)
    t, horizon = shop.day(day), int(days)
    customers = shop.known(t)
    gone, turnover = shop.outcome(customers, t, horizon)
    churn, models, summary, values, now = churn_methods(shop, t, horizon, customers)
    value = value_methods(shop, t, horizon, customers, models, summary, values, now)
    ours = pd.read_csv(ours_path, dtype={"customer": str}).set_index("customer").reindex(customers)
    lost = (ours.churn == "lost").to_numpy()
    if ours.churn_probability.notna().all():
        churn["segmentation"] = ours.churn_probability.to_numpy()
    if ours.future_value.notna().all():
        value["segmentation"] = ours.future_value.to_numpy()
    base = gone.mean()
    rng = np.random.default_rng(1)
    picks = [rng.integers(0, len(customers), len(customers)) for _ in range(200)]
    rows = []
    for method, p in churn.items():
        if not np.isfinite(np.asarray(p, float)).all():
            continue
        p = np.clip(np.asarray(p, float), 0, 1)
        error = (p - gone) ** 2
        row = dict(shop=name, day=day, days=days, what="churn", method=method, customers=len(customers), base=base,
                   brier=error.mean() / (base * (1 - base)) if 0 < base < 1 else np.nan, auc=auc(p, gone), slope=slope(p, gone))
        if method == "segmentation":
            row.update(lost=int(lost.sum()), back=int((lost & ~gone).sum()))
        if method != "segmentation" and "segmentation" in churn:
            other = (churn["segmentation"] - gone) ** 2
            differences = np.array([(other[i] - error[i]).mean() for i in picks]) / (base * (1 - base))
            row.update(behind=np.quantile(differences, 0.025) > 0, ahead=np.quantile(differences, 0.975) < 0)
        rows.append(row)
    for method, v in value.items():
        v = np.asarray(v, float)
        if not np.isfinite(v).all():
            continue
        top = np.argsort(-v, kind="stable")[: max(1, len(v) // 10)]
        row = dict(shop=name, day=day, days=days, what="value", method=method, customers=len(customers),
                   spearman=spearmanr(v, turnover)[0], bias=v.sum() / turnover.sum() - 1, mae=np.abs(v - turnover).mean() / turnover.mean(),
                   top=turnover[top].sum() / turnover.sum())
        if method != "segmentation" and "segmentation" in value:
            ours_v = np.asarray(value["segmentation"], float)
            differences = np.array([spearmanr(v[i], turnover[i])[0] - spearmanr(ours_v[i], turnover[i])[0] for i in picks])
            row.update(behind=np.quantile(differences, 0.025) > 0, ahead=np.quantile(differences, 0.975) < 0)
        rows.append(row)
    frame = pd.DataFrame(rows)
    columns = ["shop", "day", "days", "what", "method", "customers", "base", "brier", "auc", "slope", "lost", "back",
               "spearman", "bias", "mae", "top", "behind", "ahead"]
    frame.reindex(columns=columns).to_csv(out_path, mode="a", index=False, header=not os.path.getsize(out_path), quoting=csv.QUOTE_MINIMAL)


def shown(x, digits=3):
    return "" if x is None or np.isnan(x) else f"{x:.{digits}f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:.{digits}f}"


def table(in_path, out_path):
    frame = pd.read_csv(in_path)
    lines = []

    def means(what, measures, absolute=()):
        part = frame[frame.what == what]
        # Only windows that all methods answer, for a fair mean.
        methods = part.method.unique()
        whole = part.groupby(["shop", "day", "days"]).filter(lambda g: len(g) == len(methods))
        lines.append(f"\nMeans over the {whole.groupby(['shop', 'day', 'days']).ngroups} windows that every method answers, of "
                     f"{part.groupby(['shop', 'day', 'days']).ngroups}:\n")
        lines.append("| method | " + " | ".join(m[1] for m in measures) + " | windows behind it | windows ahead of it |")
        lines.append("|---" * (len(measures) + 3) + "|")
        order = whole.groupby("method")[measures[0][0]].mean().sort_values(ascending=measures[0][2]).index
        for method in order:
            rows = whole[whole.method == method]
            cells = [shown((rows[m[0]].abs() if m[0] in absolute else rows[m[0]]).mean()) for m in measures]
            all_rows = part[part.method == method]
            counts = ["", ""] if method == "segmentation" else [str(int((all_rows[c].astype(str) == "True").sum())) for c in ("behind", "ahead")]
            lines.append("| " + " | ".join([f"**{method}**" if method == "segmentation" else method, *cells, *counts]) + " |")

    lines.append("\n**Churn**: no purchase within the horizon. Relative Brier: 1 is what the base rate alone reaches, 0 is certainty.")
    means("churn", [("brier", "relative Brier", True), ("auc", "AUC", False), ("slope", "calibration slope", False)])
    ours = frame[(frame.what == "churn") & (frame.method == "segmentation")]
    lines.append("\n| shop | as of | days | customers | stayed away | relative Brier | best other | AUC | slope | lost | of these came back |")
    lines.append("|---" * 11 + "|")
    for _, r in ours.iterrows():
        others = frame[(frame.what == "churn") & (frame.method != "segmentation") & (frame.shop == r.shop) & (frame.day == r.day) & (frame.days == r.days)]
        best = others.loc[others.brier.idxmin()] if len(others) else None
        back = "" if not r.lost else f"{100 * r.back / r.lost:.1f} %"
        lines.append(f"| {r['shop']} | {r.day} | {r.days} | {r.customers} | {100 * r.base:.0f} % | {shown(r.brier)} | "
                     f"{'' if best is None else shown(best.brier) + ' ' + best.method} | {shown(r.auc)} | {shown(r.slope, 2)} | {int(r.lost)} | {back} |")
    lines.append("\n**Future value**: turnover within the horizon, without discount. Bias and MAE are relative to the true total and mean; "
                 "the top tenth is the share of the turnover that came from the tenth foretold highest.")
    means("value", [("spearman", "Spearman", False), ("bias", "mean absolute bias", True), ("mae", "MAE", True), ("top", "top tenth", False)], absolute=("bias",))
    ours = frame[(frame.what == "value") & (frame.method == "segmentation")]
    lines.append("\n| shop | as of | days | Spearman | best other | bias | MAE | top tenth |")
    lines.append("|---" * 8 + "|")
    for _, r in ours.iterrows():
        others = frame[(frame.what == "value") & (frame.method != "segmentation") & (frame.shop == r.shop) & (frame.day == r.day) & (frame.days == r.days)]
        best = others.loc[others.spearman.idxmax()]
        lines.append(f"| {r['shop']} | {r.day} | {r.days} | {shown(r.spearman)} | {shown(best.spearman)} {best.method} | {100 * r.bias:+.0f} % | {shown(r.mae)} | {shown(r.top)} |")
    with open(out_path, "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "judge":
        judge(*sys.argv[2:])
    else:
        table(*sys.argv[2:])
