"""network-configuration: which factory cooks which region's boxes, under the caps."""
