package carousel.benchmarks.compare;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A tensor of a result in two numbers, for processes that compare what they computed: its Euclidean norm,
 * and its inner product with numbers drawn by its name, which changes when its elements change places.
 *
 * @param name {@code y}, {@code dx}, or d and the name of a weight; without blanks
 * @param projection {@code Σ a p}, p uniform in [-1,1)
 * @param norm {@code √Σ a²}
 */
public record Digest(String name, double projection, double norm) {
  /** Results of equal work in f32 differ by rounding alone, relative to the norm. */
  static final double TOLERANCE = 1e-4;

  /**
   * Of a tensor.
   *
   * @param name what it is
   * @param values its elements, in rows
   * @return its digest
   */
  public static Digest of(String name, double... values) {
    double[] direction = Values.of("digest " + name, 1, values.length);
    double projection = 0;
    double squares = 0;
    for (int i = 0; i < values.length; i++) {
      projection += values[i] * direction[i];
      squares += values[i] * values[i];
    }
    return new Digest(name, projection, Math.sqrt(squares));
  }

  /** Writes digests as one line. */
  static String write(List<Digest> digests) {
    return digests.stream()
        .map(d -> String.format(Locale.ROOT, "%s %.9g %.9g", d.name, d.projection, d.norm))
        .collect(Collectors.joining(" "));
  }

  /** Reads what {@link #write} writes. */
  static List<Digest> read(String line) {
    String[] part = line.isBlank() ? new String[0] : line.trim().split(" ");
    Digest[] digests = new Digest[part.length / 3];
    Arrays.setAll(
        digests,
        i ->
            new Digest(
                part[3 * i],
                Double.parseDouble(part[3 * i + 1]),
                Double.parseDouble(part[3 * i + 2])));
    return List.of(digests);
  }

  /**
   * Says in what a result differs from ours. Gradients of biases, whose names start with db, are compared
   * where both have them: {@code nn.LSTM} has a second one.
   *
   * @param theirs of the same work; empty if it was not told
   * @param ours of ours; empty if it was not told
   * @return what differs; empty if nothing does
   */
  static String difference(List<Digest> theirs, List<Digest> ours) {
    if (theirs.isEmpty() || ours.isEmpty()) {
      return "";
    }
    Map<String, Digest> their =
        theirs.stream().collect(Collectors.toMap(Digest::name, digest -> digest));
    for (Digest our : ours) {
      Digest other = their.get(our.name);
      if (other == null && !our.name.startsWith("db")) {
        return "the results differ: there is no " + our.name;
      }
      if (other != null && !our.equalsButForRounding(other)) {
        return String.format(
            Locale.ROOT,
            "the results differ: %s has norm %.7g and projection %.7g, ours %.7g and %.7g",
            our.name,
            other.norm,
            other.projection,
            our.norm,
            our.projection);
      }
    }
    return "";
  }

  /** Whether they are the same but for rounding; nothing is the same as NaN. */
  private boolean equalsButForRounding(Digest other) {
    double most = TOLERANCE * norm;
    return Math.abs(norm - other.norm) <= most && Math.abs(projection - other.projection) <= most;
  }
}
