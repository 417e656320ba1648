"""Who buys what next in Complete Journey: the methods of the literature, and the lists of the extension.

python grocery.py <lines.csv> <ours.csv> <level> <table.md>
  lines.csv  household, basket, bought_at, item: lines with quantity and sales above 0
  ours.csv   task (next, month), household, part (overall, repeat, discovery), rank, item: top_products as of the
             split, of a model of the next basket and of one of 28 days
  level      product_type, or product_id (items of at least 10 households)

Split 28 days before the end, households with a purchase on both sides, full ranking of all items.
Whatever a method can be told is chosen on an inner split of the same kind, 28 days earlier.
"""

import sys

import numpy as np
import pandas as pd
import scipy.linalg
import scipy.sparse as sparse

DAYS = 28
K = 10
FEWEST_HOUSEHOLDS = {"product_type": 1, "product_id": 10}
TASKS = ["next", "month"]
PARTS = ["overall", "repeat", "discovery"]
DISCOUNT = 1 / np.log2(np.arange(2, K + 2))
IDEAL = np.concatenate([[0], np.cumsum(DISCOUNT)])


class Split:
    """Histories up to a day, and what was bought in the 28 days after it."""

    def __init__(self, lines, periods_back, fewest):
        end = lines.day.max()
        self.cut = end - pd.Timedelta(days=DAYS * periods_back)
        before = lines[lines.day <= self.cut]
        after = lines[(lines.day > self.cut) & (lines.day <= self.cut + pd.Timedelta(days=DAYS))]
        households = before.groupby("item").household.nunique()
        known = set(households[households >= fewest].index)
        before, after = before[before.item.isin(known)], after[after.item.isin(known)]
        after = after[after.household.isin(set(before.household))]
        self.households = np.array(sorted(set(before.household)))
        self.items = np.array(sorted(known))
        self.shape = (len(self.households), len(self.items))
        self.tested = np.searchsorted(self.households, sorted(set(after.household)))
        self.u = np.searchsorted(self.households, before.household)
        self.i = np.searchsorted(self.items, before.item)
        self.age = (self.cut - before.day).dt.days.to_numpy()
        # Baskets of a household in order of time, counted from 0.
        order = before.groupby(["household", "basket"]).bought_at.min().reset_index()
        order = order.sort_values(["household", "bought_at", "basket"])
        order["place"] = order.groupby("household").cumcount()
        order["baskets"] = order.groupby("household").basket.transform("size")
        order = order.set_index("basket").loc[before.basket]
        self.place, self.baskets = order.place.to_numpy(), order.baskets.to_numpy()
        self.counts = self.matrix(np.ones(len(self.u)))
        self.bought = (self.counts > 0).astype(float)
        self.seen = self.dense(self.bought) > 0
        first = after.groupby(["household", "basket"]).bought_at.min().reset_index()
        first = first.sort_values(["household", "bought_at", "basket"]).drop_duplicates("household")
        self.wanted = {}
        for task, rows in (("next", after[after.basket.isin(set(first.basket))]), ("month", after)):
            at = np.searchsorted(self.households, rows.household), np.searchsorted(self.items, rows.item)
            wanted = self.dense(sparse.csr_matrix((np.ones(len(rows)), at), shape=self.shape)) > 0
            self.wanted[task] = {"overall": wanted, "repeat": wanted & self.seen, "discovery": wanted & ~self.seen}

    def matrix(self, weights):
        return sparse.csr_matrix((weights, (self.u, self.i)), shape=self.shape)

    def dense(self, matrix):
        return np.asarray(matrix[self.tested].todense()).astype(np.float32)

    def for_all(self, scores):
        """The same scores for every household."""
        return np.tile(np.asarray(scores, np.float32), (len(self.tested), 1))


def lists(split, scores, part):
    """The ten items of highest score; of the part's items alone."""
    if part != "overall":
        scores = np.where(split.seen == (part == "repeat"), scores, -np.inf)
    best = np.argpartition(-scores, K, axis=1)[:, :K]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
    return np.take_along_axis(best, order, 1)


def measure(best, wanted):
    """Recall and NDCG at 10 by household; nan where nothing was to be found. An item of -1 is none."""
    hits = np.take_along_axis(wanted, np.maximum(best, 0), 1) & (best >= 0)
    n = wanted.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, ndcg = hits.sum(1) / n, (hits * DISCOUNT).sum(1) / IDEAL[np.minimum(K, n)]
    return np.where(n > 0, [recall, ndcg], np.nan)


def judge(split, scores, parts=PARTS):
    found = {}
    for part in parts:
        best = lists(split, scores, part)
        found.update({(task, part): measure(best, split.wanted[task][part]) for task in TASKS})
    return found


def goodness(split, scores, part="overall"):
    """What settings are chosen by: recall + NDCG, means of both tasks."""
    return np.mean([np.nanmean(m, axis=1).sum() for m in judge(split, scores, [part]).values()])


# The methods. Each gives scores of the tested households for all items.


def popularity(split, days):
    recent = split.age < days
    rows = sparse.csr_matrix((np.ones(recent.sum()), (split.u[recent], split.i[recent])), shape=split.shape)
    return np.asarray((rows > 0).sum(0)).ravel() / split.shape[0]


def frequency(split, half_life=None):
    """Baskets that held the item, older ones counting less; ties go to the popular item."""
    weights = np.ones(len(split.u)) if half_life is None else 0.5 ** (split.age / half_life)
    return split.dense(split.matrix(weights)) + split.for_all(1e-6 * popularity(split, 10**6))


def cosine(split, neighbours):
    """Item-item cosine of who bought; the strongest neighbours of each item."""
    x = split.bought
    norm = np.sqrt(np.asarray(x.sum(0)).ravel())
    x_normed = x @ sparse.diags(1 / norm)
    similar = (x_normed.T @ x_normed).tolil()
    similar.setdiag(0)
    similar = similar.tocsc()
    for j in range(similar.shape[1]):
        column = similar.data[similar.indptr[j] : similar.indptr[j + 1]]
        if len(column) > neighbours:
            column[column < np.partition(column, -neighbours)[-neighbours]] = 0
    return split.dense(x @ similar)


def ease(split, ridge, logarithm):
    """Steck, WWW 2019. Through the customers' matrix where there are fewer of them than items (Woodbury)."""
    x = split.counts.copy() if logarithm else split.bought.copy()
    x.data = np.log1p(x.data) if logarithm else x.data
    if split.shape[1] <= split.shape[0]:
        gram = np.asarray((x.T @ x).todense())
        gram[np.diag_indices_from(gram)] += ridge
        p = scipy.linalg.inv(gram)
        b = -p / np.diag(p)
        b[np.diag_indices_from(b)] = 0
        return (x[split.tested] @ b).astype(np.float32)
    kernel = np.asarray((x @ x.T).todense())
    kernel[np.diag_indices_from(kernel)] += ridge
    kernel_x = (x.T @ scipy.linalg.inv(kernel)).T
    diagonal = 1 - np.asarray(x.multiply(kernel_x).sum(0)).ravel()
    own = np.asarray(x[split.tested].todense())
    # x B = x - (x P) / diag(P), and x P = (kernel's inverse times X) for the households of X.
    return (own - kernel_x[split.tested] * ridge / (diagonal * ridge)).astype(np.float32)


class Tifu:
    """TIFU-KNN: Hu, He, Gao, Zhang, SIGIR 2020. Baskets in `groups` of equal size (the later ones take what is
    over), each weighing `within` less than the next of its group and each group `between` less than the next;
    blended with the mean of the nearest households by euclidean distance."""

    def __init__(self, split, groups, within, between):
        n, place = split.baskets, split.place
        groups = np.minimum(groups, n)
        size = n // groups
        longer = n - size * groups
        start = (groups - longer) * size
        early = place < start
        group = np.where(early, place // size, groups - longer + (place - start) // (size + 1))
        length = np.where(early, size, size + 1)
        at = np.where(early, place % size, (place - start) % (size + 1))
        vectors = split.matrix(within ** (length - 1 - at) * between ** (groups - 1 - group) / length / groups)
        self.vectors = vectors.astype(np.float32)
        self.own = split.dense(self.vectors)
        squares = np.asarray(self.vectors.multiply(self.vectors).sum(1)).ravel()
        distance = squares - 2 * np.asarray((self.vectors[split.tested] @ self.vectors.T).todense())
        distance[np.arange(len(split.tested)), split.tested] = np.inf
        self.order = np.argsort(distance, axis=1, kind="stable")

    def scores(self, neighbours, alpha):
        near = np.ascontiguousarray(self.order[:, :neighbours])
        at = np.arange(0, near.size + 1, neighbours)
        mean = sparse.csr_matrix((np.full(near.size, np.float32(1 / neighbours)), near.ravel(), at),
                                 shape=(len(near), self.vectors.shape[0])) @ self.vectors
        return np.float32(alpha) * self.own + np.float32(1 - alpha) * np.asarray(mean.todense())


def tune_tifu(split):
    """One setting after the other, from the paper's for its other grocers; twice round."""
    best, setting = -1, [7, 0.9, 0.7, 300, 0.7]
    tried = set()

    def attempt(groups, within, between):
        nonlocal best, setting
        if (groups, within, between) in tried:
            return
        tried.add((groups, within, between))
        model = Tifu(split, groups, within, between)
        for neighbours in (50, 100, 300):
            for alpha in (0.3, 0.5, 0.7, 0.9):
                good = goodness(split, model.scores(neighbours, alpha))
                if good > best:
                    best, setting = good, [groups, within, between, neighbours, alpha]

    for _ in range(2):
        for groups in (3, 5, 7, 10, 15, 30):
            attempt(groups, setting[1], setting[2])
        for between in (0.5, 0.6, 0.7, 0.8, 0.9):
            attempt(setting[0], setting[1], between)
        for within in (0.9, 0.95, 1.0):
            attempt(setting[0], within, setting[2])
    return setting


def best_of(settings, of, split, part):
    return max(settings, key=lambda setting: goodness(split, of(split, *setting), part))


def ours(split, path, horizon):
    table = pd.read_csv(path, dtype={"item": str})
    table = table[table.task == horizon]
    table = table[table.household.isin(set(split.households[split.tested]))]
    row = np.searchsorted(split.households[split.tested], table.household)
    names = split.items.astype(str)
    order = np.argsort(names)
    item = order[np.searchsorted(names[order], table.item)]
    found = {}
    for part in PARTS:
        best = np.full((len(split.tested), K), -1)
        of_part = (table.part == part).to_numpy()
        best[row[of_part], table["rank"].to_numpy()[of_part] - 1] = item[of_part]
        found.update({(task, part): measure(best, split.wanted[task][part]) for task in TASKS})
    return found


def difference(a, b, draws=2000):
    """Mean of a - b by household, with the 95 % interval of a paired bootstrap."""
    d = (a - b)[~np.isnan(a - b)]
    rng = np.random.default_rng(1)
    means = [d[rng.integers(0, len(d), len(d))].mean() for _ in range(draws)]
    return "%+.4f (%+.4f..%+.4f)" % (d.mean(), *np.percentile(means, [2.5, 97.5]))


def main(lines_path, ours_path, level, table_path):
    lines = pd.read_csv(lines_path, parse_dates=["bought_at"])
    lines["day"] = lines.bought_at.dt.normalize()
    lines = lines.drop_duplicates(["basket", "item"])
    inner, outer = (Split(lines, back, FEWEST_HOUSEHOLDS[level]) for back in (2, 1))
    half_life, = best_of([(h,) for h in (30, 60, 90, 150, 250)], frequency, inner, "overall")
    single = [(ridge, logarithm) for ridge in (300, 1000, 3000) for logarithm in (False, True)]
    whole, found = best_of(single, ease, inner, "overall"), best_of(single, ease, inner, "discovery")
    neighbours, = best_of([(20,), (100,), (500,)], cosine, inner, "discovery")
    tifu = tune_tifu(inner)
    name = {False: "bought or not", True: "log of purchases"}
    methods = {
        "popularity": outer.for_all(popularity(outer, 10**6)),
        "popularity, last 28 days": outer.for_all(popularity(outer, DAYS)),
        "personal frequency": frequency(outer),
        f"decayed personal frequency, half-life {half_life} days": frequency(outer, half_life),
        f"item-item cosine, {neighbours} neighbours": cosine(outer, neighbours),
        f"EASE tuned for all, {name[whole[1]]}, ridge {whole[0]}": ease(outer, *whole),
        f"EASE tuned for discovery, {name[found[1]]}, ridge {found[0]}": ease(outer, *found),
        "TIFU-KNN tuned: {} groups, {}, {}, {} neighbours, alpha {}".format(*tifu): Tifu(outer, *tifu[:3]).scores(*tifu[3:]),
    }
    judged = {name: judge(outer, scores) for name, scores in methods.items()}
    blend = {task: ours(outer, ours_path, task) for task in TASKS}
    judged["**`top_products`, the default horizon of 28 days**"] = blend["month"]
    judged["**`top_products`, `{\"horizon\": \"next\"}`**"] = blend["next"]
    with open(table_path, "w") as out:
        print(f"\n{level}: {len(outer.tested)} households, {outer.shape[1]} items, split at {outer.cut:%Y-%m-%d}\n", file=out)
        titles = [f"{task}, {part}" for part in PARTS for task in ("next basket", "28 days")]
        print("| recall@10 / NDCG@10 | " + " | ".join(titles) + " |", file=out)
        print("|---" * (len(titles) + 1) + "|", file=out)
        for method, cells in judged.items():
            row = ["%.4f / %.4f" % tuple(np.nanmean(cells[task, part], axis=1)) for part in PARTS for task in TASKS]
            print(f"| {method} | " + " | ".join(row) + " |", file=out)
        print("\n| how far `top_products` of the task's horizon is ahead | of | recall@10 | NDCG@10 |\n|---|---|---|---|", file=out)
        # Personal frequency has nothing to say of new items: there it is popularity.
        rivals = {"overall": ["TIFU"], "discovery": ["popularity", "item-item", "EASE", "TIFU"]}
        for part, others in rivals.items():
            for task, title in zip(TASKS, ("next basket", "28 days")):
                for other in (method for method in methods if method.startswith(tuple(others))):
                    both = (difference(blend[task][task, part][m], judged[other][task, part][m]) for m in (0, 1))
                    print(f"| {title}, {part} | {other} | " + " | ".join(both) + " |", file=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
