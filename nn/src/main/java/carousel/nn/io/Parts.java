package carousel.nn.io;

import carousel.nn.Parameters;
import carousel.nn.optim.Optimizer;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * All that a training goes on from, by names: told once, saved in one line and restored in one line by {@link
 * Checkpoints}.
 *
 * <pre>{@code
 * var carried = new CarriedState();
 * var parts = new Parts()
 *     .with("model", model.parameters())
 *     .with("optimizer", optimizer)
 *     .with("noise", noise)
 *     .withText("valid", () -> "" + validationLoss, text -> validationLoss = Double.parseDouble(text))
 *     .withTensors("carried", carried::tensors, saved -> carried.restore(states, saved));
 * }</pre>
 *
 * <p>Weights, what an optimiser remembers and where a generator stands are overwritten in place. What is made anew, or has
 * tensors only after a while, such as a carried state, is a function that gives it and one that takes it. A number that is
 * a local variable, which no lambda may assign, can be a scalar tensor instead, {@code Tensor.full(DType.F64, loss)}, that
 * {@code fill} writes and {@code item} reads.
 */
public final class Parts {
  private static final String SEPARATOR = ".";

  private final Map<String, Part> parts = new LinkedHashMap<>();

  /** One part; what it does not have is empty. */
  private interface Part {
    default Map<String, Tensor> tensors() {
      return Map.of();
    }

    /** Whether names, types and shapes of its tensors are known before it is restored. */
    default boolean isFixed() {
      return true;
    }

    default boolean isText() {
      return false;
    }

    default String text() {
      return "";
    }

    /** What keeps a saved text from being taken back, known before anything is changed; empty if nothing does. */
    default String problem(String unused) {
      return "";
    }

    /** Takes back what was saved; parts that can fail for their content come before those that cannot. */
    void restore(Map<String, Tensor> tensors, String text);
  }

  /** Nothing yet. */
  public Parts() {}

  private Parts put(String name, Part part) {
    if (name.isEmpty() || name.contains(SEPARATOR)) {
      throw new IllegalArgumentException(
          "parts: a name is not empty and has no '" + SEPARATOR + "' in it, got '" + name + "'");
    }
    if (parts.putIfAbsent(name, part) != null) {
      throw new IllegalArgumentException("parts: there is a '" + name + "' already");
    }
    return this;
  }

  /**
   * These, and weights, which are overwritten in place.
   *
   * @param name without a dot
   * @param parameters of a model
   * @return this
   */
  public Parts with(String name, Parameters parameters) {
    return put(name, ofTensors(() -> Loading.values(parameters)));
  }

  /**
   * These, and a tensor that is overwritten in place: a running mean, a table.
   *
   * @param name without a dot
   * @param tensor of any type
   * @return this
   */
  public Parts with(String name, Tensor tensor) {
    return put(name, ofTensors(() -> Map.of("value", tensor)));
  }

  private static Part ofTensors(Supplier<Map<String, Tensor>> targets) {
    return new Part() {
      @Override
      public Map<String, Tensor> tensors() {
        return targets.get();
      }

      @Override
      public void restore(Map<String, Tensor> tensors, String text) {
        targets
            .get()
            .forEach((name, tensor) -> {
              Tensor saved = tensors.get(name);
              if (saved != null) {
                tensor.assign(saved);
              }
            });
      }
    };
  }

  /**
   * These, and all that an optimiser remembers, its rate and the number of its steps.
   *
   * @param name without a dot
   * @param optimizer over the model's parameters
   * @return this
   */
  public Parts with(String name, Optimizer optimizer) {
    return put(
        name,
        new Part() {
          @Override
          public Map<String, Tensor> tensors() {
            return optimizer.state();
          }

          @Override
          public void restore(Map<String, Tensor> tensors, String text) {
            optimizer.restore(tensors);
          }
        });
  }

  /**
   * These, and where a generator stands, which is moved there in place.
   *
   * @param name without a dot
   * @param generator of the same seed in every run of the training; for one that is made of another seed each time there
   *     is {@link #withRandom}
   * @return this
   */
  public Parts with(String name, Philox generator) {
    return put(
        name,
        new Part() {
          @Override
          public boolean isText() {
            return true;
          }

          @Override
          public String text() {
            return where(generator);
          }

          @Override
          public String problem(String text) {
            try {
              long seed = generator(text).seed();
              return seed == generator.seed()
                  ? ""
                  : "the generator has seed "
                      + seed
                      + ", this training's has "
                      + generator.seed()
                      + "; make it of that seed, or save it by withRandom";
            } catch (TensorException e) {
              return String.valueOf(e.getMessage());
            }
          }

          @Override
          public void restore(Map<String, Tensor> tensors, String text) {
            generator.moveTo(generator(text).counter());
          }
        });
  }

  /**
   * These, and where a generator stands that is made anew.
   *
   * @param name without a dot
   * @param now gives the generator
   * @param restored is given one of the saved seed at the saved place
   * @return this
   */
  public Parts withRandom(String name, Supplier<Philox> now, Consumer<Philox> restored) {
    return withText(name, () -> where(now.get()), text -> restored.accept(generator(text)));
  }

  private static String where(Philox generator) {
    return generator.seed() + " " + generator.counter();
  }

  private static Philox generator(String text) {
    var numbers = text.split(" ", -1);
    if (numbers.length != 2) {
      throw new TensorException("this is no generator: '" + text + "'");
    }
    try {
      return Philox.at(Long.parseLong(numbers[0]), Long.parseLong(numbers[1]));
    } catch (NumberFormatException e) {
      throw new TensorException("this is no generator: '" + text + "'", e);
    }
  }

  /**
   * These, and anything that is a string.
   *
   * @param name without a dot
   * @param now gives it, any but null
   * @param restored is given what was saved, and throws {@link RuntimeException} if that is nothing
   * @return this
   */
  public Parts withText(String name, Supplier<String> now, Consumer<String> restored) {
    return put(
        name,
        new Part() {
          @Override
          public boolean isText() {
            return true;
          }

          @Override
          public String text() {
            return now.get();
          }

          @Override
          public void restore(Map<String, Tensor> tensors, String text) {
            restored.accept(text);
          }
        });
  }

  /**
   * These, and tensors of which it is not known before what they are, or whether there are any.
   *
   * @param name without a dot
   * @param now gives them by name
   * @param restored is given what was saved, new tensors of the innermost scope; it throws {@link TensorException} if
   *     they do not fit
   * @return this
   */
  public Parts withTensors(
      String name, Supplier<Map<String, Tensor>> now, Consumer<Map<String, Tensor>> restored) {
    return put(
        name,
        new Part() {
          @Override
          public Map<String, Tensor> tensors() {
            return now.get();
          }

          @Override
          public boolean isFixed() {
            return false;
          }

          @Override
          public void restore(Map<String, Tensor> tensors, String text) {
            restored.accept(tensors);
          }
        });
  }

  /** All tensors, as {@code <part>.<name>}. */
  Map<String, Tensor> tensors() {
    var all = new LinkedHashMap<String, Tensor>();
    parts.forEach((name, part) ->
        part.tensors().forEach((own, tensor) -> all.put(name + SEPARATOR + own, tensor)));
    return all;
  }

  /** All strings by the names of their parts. */
  Map<String, String> texts() {
    var all = new LinkedHashMap<String, String>();
    parts.forEach((name, part) -> {
      if (part.isText()) {
        all.put(
            name,
            Objects.requireNonNull(
                part.text(),
                () -> "parts: the text of '" + name + "' is null; say that there is none by \"\""));
      }
    });
    return all;
  }

  /**
   * Takes back what a checkpoint holds. All names, types and shapes are compared first.
   *
   * @throws SafetensorsException if it is of another training
   */
  void restore(Checkpoint from) throws IOException {
    try (var _ = TensorScope.openUnwatched()) {
      var problems = problems(from);
      if (!problems.isEmpty()) {
        throw from.wrong(String.join("; ", problems));
      }
    }
    // What may refuse its content comes first, and weights, which nothing refuses any more, last.
    for (boolean fixed : new boolean[] {false, true}) {
      for (var entry : parts.entrySet()) {
        var part = entry.getValue();
        if ((part.isFixed() && !part.isText()) == fixed) {
          restore(entry.getKey(), part, from);
        }
      }
    }
  }

  private static void restore(String name, Part part, Checkpoint from) throws IOException {
    try {
      if (part.isFixed()) {
        try (var _ = TensorScope.open(TensorScope.current().device())) {
          part.restore(
              part.isText() ? Map.of() : from.load(name + SEPARATOR),
              from.metadata().getOrDefault(name, ""));
        }
      } else {
        part.restore(from.load(name + SEPARATOR), "");
      }
    } catch (SafetensorsException e) {
      throw e;
    } catch (RuntimeException e) {
      throw from.wrong("'" + name + "': " + e.getMessage());
    }
  }

  private List<String> problems(Checkpoint from) throws IOException {
    var problems = new ArrayList<String>();
    var held = from.parts(SEPARATOR);
    held.addAll(from.metadata().keySet());
    var missing = new TreeSet<String>();
    for (var entry : parts.entrySet()) {
      String name = entry.getKey();
      var part = entry.getValue();
      if (part.isText()) {
        String text = from.metadata().get(name);
        if (text == null) {
          missing.add(name);
        } else if (!part.problem(text).isEmpty()) {
          problems.add("'" + name + "': " + part.problem(text));
        }
      } else if (part.isFixed()) {
        if (!held.contains(name) && !part.tensors().isEmpty()) {
          missing.add(name);
        } else {
          problems.addAll(from.differences(name + SEPARATOR, part.tensors()));
        }
      }
      held.remove(name);
    }
    if (!missing.isEmpty()) {
      problems.addFirst("it has no " + missing);
    }
    if (!held.isEmpty()) {
      problems.addFirst("it has " + held + ", which this training has not");
    }
    return problems.size() <= Loading.SHOWN
        ? problems
        : List.of(
            String.join("; ", problems.subList(0, Loading.SHOWN)),
            String.format(Locale.ROOT, "and %d more", problems.size() - Loading.SHOWN));
  }
}
