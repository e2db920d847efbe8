package carousel.nn.random;

import java.util.EnumSet;
import java.util.Set;

/**
 * What programs may have. Every program has some of it only: with all of it at once nothing would
 * stand alone, and few would have a kernel.
 */
enum Feature {
  /** States and products of another width than H. */
  OTHER_WIDTHS(0.25),
  /** Cuts elsewhere than between gates. */
  UNEVEN_CUTS(0.2),
  /** Comparisons, logical rows, where. */
  MASKS(0.3),
  /** Sums and their like over the columns, and what is made of them. */
  FOLDS(0.25),
  /** Softmax over the columns. */
  SOFTMAX(0.12),
  /** Whole normalisations. */
  NORMS(0.15),
  /** Tensors that are held. */
  CAPTURED(0.25),
  /** Numbers that are held, and change. */
  NUMBERS(0.2),
  /** Tensors made on the way. */
  MADE(0.25),
  /** Weights that are transposed or computed before a product. */
  COMPUTED_WEIGHTS(0.15),
  DETACH(0.12),
  DROPOUT(0.1),
  /** What reads several rows: not the business of a kernel. */
  ACROSS_ROWS(0.04),
  /** Reversed, cumulated, every other, folded by blocks. */
  ODD_OPS(0.08),
  /** Composites within. */
  COMPOSITES(0.1),
  /** Nodes that nobody reads. */
  DEAD_CODE(0.1),
  /** A {@code project} of the cell's own. */
  PROJECTION(0.25),
  /** An {@code output} of the cell's own. */
  OUTPUT(0.2),
  LENGTHS(0.3),
  LEARNED(0.15),
  DIRECTIONS(0.3),
  /** A second call, something having changed. */
  TWICE(0.3),
  /** A name that the library has given to something else. */
  LABELS(0.1),
  /** Inputs that are views. */
  VIEWS(0.15),
  /** Ops of the program's own, whose rules are no derivatives. */
  OWN_OPS(0.25);

  private final double share;

  Feature(double share) {
    this.share = share;
  }

  static Set<Feature> some(Dice dice) {
    Set<Feature> some = EnumSet.noneOf(Feature.class);
    double scale = dice.of(0.3, 0.6, 1.0, 1.5);
    for (Feature feature : values()) {
      if (dice.chance(scale * feature.share)) {
        some.add(feature);
      }
    }
    return some;
  }
}
