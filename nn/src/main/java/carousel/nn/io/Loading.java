package carousel.nn.io;

import carousel.nn.Parameters;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The tensors of an open file as tensors of ours, whatever its format. Everything is compared before
 * anything is written or allocated.
 *
 * @param stored what the file holds, its sizes checked against that of the file
 * @param bytes the bytes of a tensor by its name
 * @param isColumnMajor whether these bytes go down the columns, the first index fastest
 * @param problem the exception that names the file
 */
record Loading(
    Map<String, StoredTensor> stored,
    Bytes bytes,
    Predicate<String> isColumnMajor,
    Function<String, RuntimeException> problem) {
  static final int SHOWN = 6;

  /** Opens the bytes of one tensor, little-endian. */
  @FunctionalInterface
  interface Bytes {
    ReadableByteChannel open(String name) throws IOException;
  }

  /** All tensors of the file, new ones of the innermost scope. */
  Map<String, Tensor> tensors() throws IOException {
    return tensors(stored.keySet());
  }

  /** Some tensors of the file, new ones of the innermost scope; what the others are does not matter. */
  Map<String, Tensor> tensors(Collection<String> names) throws IOException {
    var wanted = new ArrayList<StoredTensor>();
    for (var name : names) {
      var found = stored.get(name);
      if (found == null) {
        throw problem.apply(
            String.format(
                Locale.ROOT,
                "no tensor %s; it holds %s",
                HeaderParser.quote(name),
                shown(stored.keySet())));
      }
      wanted.add(found);
    }
    try (var loading = TensorScope.open(TensorScope.current().device())) {
      for (var each : wanted) {
        checkLoadable(each);
      }
      var tensors = new LinkedHashMap<String, Tensor>();
      for (var each : wanted) {
        var dims = each.shape().stream().mapToInt(Math::toIntExact).toArray();
        Tensor tensor = Tensor.zeros(conversion(each.type()).dtype(), dims);
        read(each.name(), tensor);
        tensors.put(each.name(), tensor);
      }
      tensors.values().forEach(loading::keep);
      return tensors;
    }
  }

  /** Some names, for a message. */
  private static String shown(Set<String> names) {
    var shown = names.stream().limit(SHOWN).map(HeaderParser::quote).toList();
    int more = names.size() - shown.size();
    return String.join(", ", shown)
        + (more > 0 ? String.format(Locale.ROOT, " and %d more", more) : "");
  }

  /** Overwrites tensors by those of the file, which must be the same. */
  void into(Map<String, Tensor> targets) throws IOException {
    refuse(differences(targets, true));
    for (var target : targets.entrySet()) {
      read(target.getKey(), target.getValue());
    }
  }

  /** Overwrites those tensors that the file has, which must be of its types and shapes. */
  LoadReport matchingInto(Map<String, Tensor> targets) throws IOException {
    refuse(differences(targets, false));
    var loaded = targets.keySet().stream().filter(stored::containsKey).toList();
    for (var name : loaded) {
      read(name, Objects.requireNonNull(targets.get(name)));
    }
    return new LoadReport(
        loaded,
        targets.keySet().stream().filter(name -> !stored.containsKey(name)).toList(),
        stored.keySet().stream().filter(name -> !targets.containsKey(name)).toList());
  }

  private void refuse(List<String> differences) {
    if (differences.isEmpty()) {
      return;
    }
    throw problem.apply(
        String.format(
            Locale.ROOT,
            "these are the weights of another model: %s%s",
            String.join("; ", differences.subList(0, Math.min(SHOWN, differences.size()))),
            differences.size() > SHOWN
                ? String.format(
                    Locale.ROOT, "; and %d differences more", differences.size() - SHOWN)
                : ""));
  }

  /** The weights of a model by name. */
  static Map<String, Tensor> values(Parameters parameters) {
    var values = new LinkedHashMap<String, Tensor>();
    for (var named : parameters) {
      values.put(named.name(), named.value());
    }
    return values;
  }

  private void read(String name, Tensor into) throws IOException {
    int rank = into.rank();
    Tensor rows =
        isColumnMajor.test(name)
            ? into.permute(IntStream.range(0, rank).map(axis -> rank - 1 - axis).toArray())
            : into;
    var type = Objects.requireNonNull(stored.get(name)).type();
    try (var channel = bytes.open(name)) {
      Tensor _ = rows.readFrom(conversion(type).from(channel));
    } catch (Conversion.TooLarge e) {
      throw problem.apply(
          String.format(
              Locale.ROOT, "tensor %s, %s, %s", HeaderParser.quote(name), type, e.getMessage()));
    }
  }

  private static Conversion conversion(StoredType type) {
    return Objects.requireNonNull(Conversion.reading(type));
  }

  /** What differs; names that are on one side only, where that matters. */
  List<String> differences(Map<String, Tensor> targets, boolean wholly) {
    var differences = new ArrayList<String>();
    targets.forEach((name, tensor) -> {
      var found = stored.get(name);
      String wanted = tensor.dtype() + " " + tensor.shape();
      if (found == null) {
        if (wholly) {
          differences.add(
              String.format(Locale.ROOT, "%s, %s, is missing", HeaderParser.quote(name), wanted));
        }
      } else if (!isReadAs(found.type(), tensor.dtype())
          || !found.shape().equals(TensorSource.dims(tensor))) {
        differences.add(
            String.format(
                Locale.ROOT,
                "%s is %s %s in the file, %s in the model",
                HeaderParser.quote(name),
                found.type(),
                found.shape().toString().replace(" ", ""),
                wanted));
      }
    });
    for (var name : stored.keySet()) {
      if (wholly && !targets.containsKey(name)) {
        differences.add(HeaderParser.quote(name) + " is not in the model");
      }
    }
    return differences;
  }

  private static boolean isReadAs(StoredType stored, DType dtype) {
    var conversion = Conversion.reading(stored);
    return conversion != null && conversion.dtype() == dtype;
  }

  private void checkLoadable(StoredTensor stored) {
    String name = HeaderParser.quote(stored.name());
    if (Conversion.reading(stored.type()) == null) {
      throw problem.apply(
          String.format(
              Locale.ROOT,
              "tensor %s is %s; what can be read is %s: convert it where it was made%s",
              name,
              stored.type(),
              Conversion.readable(),
              this.stored.size() > 1 ? ", or load(path, names) without it" : ""));
    }
    for (var extent : stored.shape()) {
      if (extent > Integer.MAX_VALUE) {
        throw problem.apply(
            String.format(
                Locale.ROOT, "tensor %s has an axis of %d, longer than 2^31 - 1", name, extent));
      }
    }
    // Only the shape of an empty tensor can be this large here: the file holds all other elements.
    if (StoredTensor.overflows(stored.shape())) {
      throw problem.apply(
          String.format(
              Locale.ROOT, "tensor %s has the shape %s, too large", name, stored.shape()));
    }
  }
}
