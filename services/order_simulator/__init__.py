"""order-simulator: one week's orders in many Monte Carlo draws. v1 draws recipes independently, v2 packs whole boxes."""
