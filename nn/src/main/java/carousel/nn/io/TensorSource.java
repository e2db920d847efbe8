package carousel.nn.io;

import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What is written to a file as one tensor.
 *
 * @param name the name to store it under
 * @param type its element type
 * @param shape its dimensions, outermost first
 * @param content writes its bytes
 */
public record TensorSource(String name, StoredType type, List<Long> shape, Content content) {
  /** Copies the shape. */
  public TensorSource {
    shape = List.copyOf(shape);
  }

  /** What writes the bytes of one tensor when its turn has come, so that no other need be held. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes {@code type.bytes() · Π shape} bytes, little-endian. May be asked more than once.
     *
     * @param channel the file, at the place of this tensor
     * @throws IOException if they cannot be written
     */
    void writeTo(WritableByteChannel channel) throws IOException;
  }

  /**
   * A tensor as it is, every value bit for bit.
   *
   * @param name the name to store it under
   * @param tensor of any layout and device; read when it is written
   * @return the source
   */
  public static TensorSource of(String name, Tensor tensor) {
    return of(name, tensor, StoredType.of(tensor.dtype()));
  }

  /**
   * A tensor in an element type that tensors do not have: F32 or F64 as {@link StoredType#F16} or
   * {@link StoredType#BF16}, each value rounded once to the nearest, ties to even, infinite where it
   * is too large; I32 as {@link StoredType#I64}.
   *
   * @param name the name to store it under
   * @param tensor of any layout and device; read when it is written
   * @param type what to store it as; the tensor's own type is fine, too
   * @return the source
   * @throws TensorException if it is another type; {@code cast} the tensor first
   */
  public static TensorSource of(String name, Tensor tensor, StoredType type) {
    var conversion = Conversion.writing(tensor.dtype(), type);
    if (conversion == null) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "storing %s as %s: it can be stored as %s; cast it first",
              tensor,
              type,
              Conversion.targets(tensor.dtype())));
    }
    return new TensorSource(
        name, type, dims(tensor), channel -> tensor.writeTo(conversion.to(channel)));
  }

  /** The shape of a tensor as files have it. */
  static List<Long> dims(Tensor tensor) {
    return Arrays.stream(tensor.shape().toArray()).mapToObj(d -> (long) d).toList();
  }
}
