package carousel.cuda.launch;

import carousel.cuda.driver.KernelSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One kernel: where it is, and what it takes. Each is made once, by the family that launches it; a test
 * compares them with the files.
 */
public final class Kernel {
  private final String file;
  private final @Nullable KernelSource written;
  private final String symbol;
  private final List<ParameterType> parameters;

  /**
   * A kernel of a file below {@code src/main/cuda}.
   *
   * @param file e.g. {@code unary.cu}
   * @param symbol e.g. {@code unary_tanh_f32}
   * @param parameters in order
   */
  public Kernel(String file, String symbol, ParameterType... parameters) {
    this.file = file;
    this.written = null;
    this.symbol = symbol;
    this.parameters = List.of(parameters);
  }

  /** A kernel of a file that is not there but was written by code. */
  public Kernel(KernelSource written, String symbol, ParameterType... parameters) {
    this.file = written.name();
    this.written = written;
    this.symbol = symbol;
    this.parameters = List.of(parameters);
  }

  public String file() {
    return file;
  }

  /** The file with all that it includes. */
  KernelSource source() {
    return written == null ? KernelSource.of(file) : written;
  }

  public String symbol() {
    return symbol;
  }

  public List<ParameterType> parameters() {
    return parameters;
  }

  /** E.g. {@code unary_tanh_f32(POINTER, POINTER, POSITIONS_2)}. */
  @Override
  public String toString() {
    return symbol + parameters.toString().replace('[', '(').replace(']', ')');
  }
}
