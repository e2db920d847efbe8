package carousel.zoo.draw;

/** What a node of a computational graph is; decides its colour and shape. */
public enum NodeKind {
  /** A value from outside: data, a target, a state carried in. */
  INPUT("input", "#dcebf9", "#2f6ea8", true),
  /** A weight. */
  PARAMETER("parameter", "#e3f1dc", "#4c8a2f", true),
  /** An operation of the forward pass. */
  OPERATION("operation", "#f7f7f7", "#6b6b6b", false),
  /** A value for outside: a loss, a prediction, a state carried out. */
  OUTPUT("output", "#fff0c9", "#b07f00", true),
  /** An operation of the backward pass. */
  BACKWARD("backward operation", "#fdeee8", "#c2643c", false),
  /** A gradient that the backward pass ends in. */
  GRADIENT("gradient", "#f9d9d0", "#a93a1c", true);

  private final String title;
  private final String fill;
  private final String stroke;
  private final boolean isValue;

  NodeKind(String title, String fill, String stroke, boolean isValue) {
    this.title = title;
    this.fill = fill;
    this.stroke = stroke;
    this.isValue = isValue;
  }

  /** The name in the legend. */
  String title() {
    return title;
  }

  /** The colour of the area, {@code #rrggbb}. */
  String fill() {
    return fill;
  }

  /** The colour of the outline and of the edges that leave the node. */
  String stroke() {
    return stroke;
  }

  /** Values have round ends, operations have corners. */
  boolean isValue() {
    return isValue;
  }

  /** Whether the node belongs to the backward pass. */
  boolean isBackward() {
    return this == BACKWARD || this == GRADIENT;
  }
}
