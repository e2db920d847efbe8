package carousel.nn;

import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What a model is made of: its layers, their weights with their shapes, and how many numbers and bytes that is. As a text
 * it is a table:
 *
 * <pre>{@literal
 * layer      kind        weights                             parameters
 *            Model
 * embed      Embedding   weight [1000,64]                        64,000
 * lstm       Recurrent
 * lstm.cell  Lstm        wx [64,256], wh [64,256], b [256]       33,024
 * head       TiedLinear  weight = embed.weight, bias [1000]       1,000
 * total                  5 tensors                               98,024
 *                        392,096 bytes
 * }</pre>
 *
 * <p>A weight that is reached by several paths counts once, where it is first met.
 *
 * @param rows the layers, in the order of the components, the model first
 * @param tensors how many weights there are
 * @param parameters how many numbers they hold
 * @param bytes how much memory these take
 */
public record Summary(List<Row> rows, int tensors, long parameters, long bytes) {
  private static final String GAP = "  ";

  /** Copies the rows. */
  public Summary {
    rows = List.copyOf(rows);
  }

  /**
   * A layer without those in it.
   *
   * @param path what leads to it; empty for the model
   * @param kind its class
   * @param weights its own, each with its shape, or with the path under which it was met before
   * @param parameters how many numbers these hold that are not counted elsewhere
   */
  public record Row(String path, String kind, List<String> weights, long parameters) {
    /** Copies the list. */
    public Row {
      weights = List.copyOf(weights);
    }
  }

  /**
   * The summary of a model.
   *
   * @param model any layer
   * @return its table; {@link #toString} is for reading
   * @throws carousel.tensor.TensorException as {@link Layer#parameters} does
   */
  public static Summary of(Layer model) {
    var walk = new Walk();
    walk.visit(model);
    var values = walk.met.keySet().stream().map(Parameter::value).toList();
    return new Summary(
        walk.rows.stream().map(Draft::row).toList(),
        values.size(),
        values.stream().mapToLong(Tensor::size).sum(),
        values.stream().mapToLong(value -> value.size() * value.dtype().bytes()).sum());
  }

  private static final class Draft {
    final String path;
    final String kind;
    final List<String> weights = new ArrayList<>();
    long parameters;

    Draft(String path, Layer layer) {
      this.path = path;
      this.kind = kind(layer);
    }

    Row row() {
      return new Row(path, kind, weights, parameters);
    }

    private static String kind(Layer layer) {
      if (layer instanceof Enum<?> constant) {
        return constant.name();
      }
      String simple = layer.getClass().getSimpleName();
      return layer.getClass().isHidden()
          ? "function"
          : simple.isEmpty() ? layer.getClass().getName() : simple;
    }
  }

  private static final class Walk implements LayerVisitor {
    final List<Draft> rows = new ArrayList<>();
    final IdentityHashMap<Parameter, String> met = new IdentityHashMap<>();

    @Override
    public boolean layer(String path, Layer layer) {
      rows.add(new Draft(path, layer));
      return false;
    }

    /** The layer that a parameter belongs to is the last one met whose path leads to it. */
    @Override
    public void parameter(String path, Parameter parameter) {
      Draft owner = rows.getFirst();
      for (Draft row : rows) {
        if (path.startsWith(row.path + ".")) {
          owner = row;
        }
      }
      String own = owner.path.isEmpty() ? path : path.substring(owner.path.length() + 1);
      String before = met.putIfAbsent(parameter, path);
      if (before == null) {
        owner.weights.add(own + " " + parameter.value().shape());
        owner.parameters += parameter.value().size();
      } else {
        owner.weights.add(own + " = " + before);
      }
    }
  }

  /** The table. */
  @Override
  public String toString() {
    List<String[]> lines = new ArrayList<>();
    lines.add(new String[] {"layer", "kind", "weights", "parameters"});
    for (Row row : rows) {
      String count = row.weights().isEmpty() ? "" : number(row.parameters());
      lines.add(new String[] {row.path(), row.kind(), String.join(", ", row.weights()), count});
    }
    lines.add(new String[] {"total", "", tensors + " tensors", number(parameters)});
    lines.add(new String[] {"", "", number(bytes) + " bytes", ""});
    int[] widths = new int[4];
    for (String[] line : lines) {
      for (int i = 0; i < line.length; i++) {
        widths[i] = Math.max(widths[i], line[i].length());
      }
    }
    return lines.stream()
        .map(line ->
            (padded(line[0], widths[0])
                    + GAP
                    + padded(line[1], widths[1])
                    + GAP
                    + padded(line[2], widths[2])
                    + GAP
                    + " ".repeat(widths[3] - line[3].length())
                    + line[3])
                .stripTrailing())
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(width - text.length());
  }

  private static String number(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }
}
