"""Models of a series of counts, chosen by backtest: what several services share. They see neither AWS nor messages."""
