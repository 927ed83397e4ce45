-- The order history every run reads. Filled by `brigade load` and `brigade sample`, read by the configurator and the
-- data-extractor. A menu week runs Saturday to Friday and is named by its Saturday.

CREATE TABLE IF NOT EXISTS factories (
    factory    text PRIMARY KEY,
    weekly_cap double precision NOT NULL -- boxes
);

CREATE TABLE IF NOT EXISTS regions (
    region  text PRIMARY KEY,
    factory text NOT NULL REFERENCES factories
);

CREATE TABLE IF NOT EXISTS centres (
    centre text PRIMARY KEY,
    region text NOT NULL REFERENCES regions
);

CREATE TABLE IF NOT EXISTS recipes (
    recipe   text PRIMARY KEY,
    category text NOT NULL,
    cuisine  text NOT NULL
);

CREATE TABLE IF NOT EXISTS ingredients (
    recipe     text NOT NULL REFERENCES recipes,
    ingredient text NOT NULL,
    quantity   double precision NOT NULL, -- of one portion
    unit       text NOT NULL,
    PRIMARY KEY (recipe, ingredient)
);

-- Optional: without it, the coming menu is the recipes of the last three weeks of the history.
CREATE TABLE IF NOT EXISTS menu (
    week   date NOT NULL,
    recipe text NOT NULL REFERENCES recipes,
    PRIMARY KEY (week, recipe)
);

-- Optional: what a menu's recipes will cost and where they will be promoted, everywhere. NULL: unknown.
CREATE TABLE IF NOT EXISTS offers (
    week       date NOT NULL,
    recipe     text NOT NULL REFERENCES recipes,
    price      double precision,
    base_price double precision,
    emailer    boolean,
    homepage   boolean,
    PRIMARY KEY (week, recipe)
);

-- Optional: what a box costs that the factory cooks for the region, for each pair of both. Any one currency.
CREATE TABLE IF NOT EXISTS costs (
    factory text NOT NULL REFERENCES factories,
    region  text NOT NULL REFERENCES regions,
    cost    double precision NOT NULL,
    PRIMARY KEY (factory, region)
);

-- Optional: without it, every factory cooks every recipe.
CREATE TABLE IF NOT EXISTS cannot_cook (
    factory text NOT NULL REFERENCES factories,
    recipe  text NOT NULL REFERENCES recipes,
    PRIMARY KEY (factory, recipe)
);

CREATE TABLE IF NOT EXISTS orders (
    starts     date NOT NULL,     -- the day, or the first day of the menu week
    days       smallint NOT NULL, -- 1 or 7
    centre     text NOT NULL REFERENCES centres,
    recipe     text NOT NULL REFERENCES recipes,
    orders     double precision NOT NULL, -- one recipe for one household
    price      double precision,
    base_price double precision,
    emailer    boolean,
    homepage   boolean,
    PRIMARY KEY (starts, centre, recipe)
);

-- One row: how the loaded data is to be read.
CREATE TABLE IF NOT EXISTS history (
    only_one           boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    source             text NOT NULL,
    first_week         date NOT NULL, -- Saturdays
    last_week          date NOT NULL,
    recipes_per_box    double precision NOT NULL,
    portions_per_order double precision NOT NULL,
    loaded_at          timestamptz NOT NULL DEFAULT now(), -- last, by a replacing or an adding load
    replaced_at        timestamptz NOT NULL DEFAULT now()  -- results of runs before are of other data
);
