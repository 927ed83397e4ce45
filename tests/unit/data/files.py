"""Small files of the layouts the readers know."""

from pathlib import Path

MEALS = "meal_id,category,cuisine\n1885,Beverages,Thai\n1993,Pasta,Italian\n"
CENTRES = (
    "center_id,city_code,region_code,center_type,op_area\n"
    "10,590,56,TYPE_B,6.7\n11,590,34,TYPE_A,3.7\n12,648,77,TYPE_A,4.1\n55,647,56,TYPE_C,2\n"
)
MANY_CENTRES = "\n".join(
    [
        (
            "\ufeffid,center_id,meal_id,YearRank,Years,Quarters,week,base_price,checkout_price,"
            "emailer_for_promotion,homepage_featured,num_orders"
        ),
        "1,10,1885,1,Year 1,Q1,1,281.33,243.5,0,0,60",
        "2,11,1885,1,Year 1,Q1,1,281.33,243.5,1,0,30",
        "3,12,1993,1,Year 1,Q1,1,300,300,0,1,24",
        "4,10,1993,1,Year 1,Q1,3,300,299.5,1,1,90",
        "5,11,1885,1,Year 1,Q1,4,281",
    ]
)
ONE_CENTRE = "oid,week,fid,totalprice,num_orders\n1,1,1885,136.83,177\n2,1,1993,136,270\n3,2,1885,140,9\n"

RECIPES = "recipe,category,cuisine\nRamen,Soup,Japanese\nBiryani,Biryani,Indian\n"
FACTORIES = "factory,weekly_cap,regions\nA,100,north|coast\nB,50.5,south\n"
REGION_CENTRES = "centre,region\nmill,north\npier,coast\nbarn,south\n"
ORDERS = (
    "week,centre,recipe,orders,price,base_price,emailer,homepage\n"
    "2026-11-07,mill,Ramen,12,9.5,10,0,1\n"
    "2026-11-18,barn,Biryani,7.5,,,,\n"
)


def food_demand(folder: Path, orders: str = MANY_CENTRES, meals: str = MEALS, centres: str = CENTRES) -> Path:
    (folder / "meal_info.csv").write_text(meals, encoding="utf-8")
    (folder / "fulfilment_center_info.csv").write_text(centres, encoding="utf-8")
    return write(folder / "orders.csv", orders)


def long_format(folder: Path, orders: str = ORDERS, **others: str) -> Path:
    """`others` are the files beside the orders, by name; an empty one is not written."""
    beside = {"recipes": RECIPES, "factories": FACTORIES, "centres": REGION_CENTRES} | others
    for name, text in beside.items():
        if text:
            write(folder / f"{name}.csv", text)
    return write(folder / "orders.csv", orders)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
