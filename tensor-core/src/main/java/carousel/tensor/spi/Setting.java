package carousel.tensor.spi;

import carousel.tensor.TensorException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What Java was started with, {@code -Dcarousel.<name>=<value>}. A value that makes no sense is an error that says
 * what does, wherever it is read; none is passed over.
 */
public enum Setting {
  /** The device of scopes that name none. */
  DEVICE("device", Form.ANY),
  /** Threads of the CPU. */
  THREADS("threads", Form.count(1024)),
  /** Whether the CPU takes the Vector API. */
  VECTOR("vector", Form.oneOf("auto", "off", "require")),
  /** The width of its vectors. */
  VECTOR_BITS("vector.bits", Form.oneOf("128", "256", "512")),
  /** The cap of the CPU's tensors. */
  MEMORY("memory", Form.SIZE),
  /** Whether composites and recurrences run by their kernels. */
  FUSED("fused", Form.oneOf("on", "off", "check")),
  /** Where kernels are written as text. */
  DUMP("dump", Form.ANY),
  /** The cap of the tensors of a GPU. */
  CUDA_MEMORY("cuda.memory", Form.SIZE),
  /** Whether products on a GPU may round to TF32. */
  CUDA_TF32("cuda.tf32", Form.FLAG),
  /** Whether products on a GPU may round to BF16. */
  CUDA_BF16("cuda.bf16", Form.FLAG),
  /** Whether every call of a GPU is waited for. */
  CUDA_BLOCKING("cuda.blocking", Form.FLAG),
  /** Where compiled kernels are kept. */
  CUDA_CACHE("cuda.cache", Form.ANY),
  /** Where CUDA's libraries are looked for. */
  CUDA_LIBRARIES("cuda.libraries", Form.ANY),
  /** Whether the emulated GPU is listed. */
  CUDA_EMULATOR("cuda.emulator", Form.oneOf("off", "on")),
  /** Whether its memory is guarded. */
  CUDA_EMULATOR_ASAN("cuda.emulator.asan", Form.FLAG),
  /** What compiles its kernels. */
  CUDA_EMULATOR_COMPILER("cuda.emulator.compiler", Form.ANY),
  /** The order of its blocks. */
  CUDA_EMULATOR_ORDER("cuda.emulator.order", Form.oneOf("forward", "reverse"));

  private static final String PREFIX = "carousel.";

  /** What the tests and the launcher tell one another. */
  private static final Set<String> OTHERS = Set.of("carousel.terminal", "carousel.above");

  private static final String TESTS = "carousel.test.";

  private final String property;
  private final Form form;

  Setting(String name, Form form) {
    this.property = PREFIX + name;
    this.form = form;
  }

  /** What values there are, in words and as a test. */
  private record Form(String wanted, Predicate<String> fits) {
    static final Form ANY = new Form("anything", value -> !value.isEmpty());
    static final Form FLAG = oneOf("true", "false");
    static final Form SIZE =
        new Form(
            "a whole number of bytes, or one followed by k, m, g or t, as 8g",
            value -> SlabPool.size(value) > 0);

    static Form oneOf(String... values) {
      var all = List.of(values);
      int last = values.length - 1;
      return new Form(
          String.join(", ", all.subList(0, last)) + " or " + values[last],
          value -> all.contains(value.toLowerCase(Locale.ROOT)));
    }

    static Form count(int most) {
      return new Form(
          "a whole number from 1 to " + most,
          value -> value.matches("[1-9][0-9]{0,8}") && Integer.parseInt(value) <= most);
    }
  }

  /**
   * The name as Java takes it.
   *
   * @return e.g. {@code carousel.threads}
   */
  public String property() {
    return property;
  }

  /**
   * What a value must be.
   *
   * @return a phrase, e.g. {@code on, off or check}
   */
  public String wanted() {
    return form.wanted;
  }

  /**
   * Whether a value is one.
   *
   * @param value as it would be given
   * @return whether it makes sense
   */
  public boolean takes(String value) {
    return form.fits.test(value);
  }

  /**
   * What was given.
   *
   * @return null if nothing was
   * @throws TensorException if it makes no sense
   */
  public @Nullable String value() {
    String value = System.getProperty(property);
    if (value == null || takes(value)) {
      return value;
    }
    throw new TensorException(complaint(value));
  }

  /**
   * What was given, or else.
   *
   * @param standard where nothing was
   * @return one of the names there are, in small letters; what stands for any text, as it was given
   * @throws TensorException if it makes no sense
   */
  public String or(String standard) {
    String value = value();
    if (value == null) {
      return standard;
    }
    return form.equals(Form.ANY) ? value : value.toLowerCase(Locale.ROOT);
  }

  /**
   * A whole number that was given, or else.
   *
   * @param standard where none was
   * @return the number
   * @throws TensorException if it makes no sense
   */
  public int or(int standard) {
    String value = value();
    return value == null ? standard : Integer.parseInt(value);
  }

  /**
   * Whether it was set to {@code true}.
   *
   * @return false where nothing was given
   * @throws TensorException if it is neither true nor false
   */
  public boolean isTrue() {
    return or("false").equals("true");
  }

  private String complaint(String value) {
    return "-D" + property + "=" + value + ": give " + form.wanted + ", or leave it out";
  }

  /**
   * Checks what was given for every setting, so that no kind of work comes upon it later.
   *
   * @throws TensorException naming all that makes no sense
   */
  public static void requireSense() {
    var wrong = wrong();
    if (!wrong.isEmpty()) {
      throw new TensorException(String.join("\n", wrong));
    }
  }

  /**
   * What is wrong with what Java was started with.
   *
   * @return a sentence for every value that makes no sense, and for every name that there is not
   */
  public static List<String> complaints() {
    var all = new ArrayList<>(wrong());
    for (var name : new TreeSet<>(System.getProperties().stringPropertyNames())) {
      if (name.startsWith(PREFIX) && !isKnown(name)) {
        all.add(
            String.format(
                Locale.ROOT,
                "-D%s: there is no such setting; there are %s",
                name,
                String.join(", ", Arrays.stream(values()).map(Setting::property).toList())));
      }
    }
    return List.copyOf(all);
  }

  private static boolean isKnown(String name) {
    return name.startsWith(TESTS)
        || OTHERS.contains(name)
        || Arrays.stream(values()).anyMatch(setting -> setting.property.equals(name));
  }

  private static List<String> wrong() {
    var wrong = new ArrayList<String>();
    for (var setting : values()) {
      String value = System.getProperty(setting.property);
      if (value != null && !setting.takes(value)) {
        wrong.add(setting.complaint(value));
      }
    }
    return wrong;
  }
}
