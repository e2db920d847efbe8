package carousel.tensor.golden;

/**
 * One tensor of a golden file, row-major. Every dtype of the file fits a double exactly: F64, F32,
 * I32, and BOOL as 0 and 1.
 *
 * @param dtype how the file stores it, as safetensors spells it
 * @param shape the sizes of the axes; empty for a scalar
 * @param values the elements, as many as the product of the shape
 */
@SuppressWarnings("ArrayRecordComponent") // Read by tests and thrown away; never compared.
public record GoldenTensor(String dtype, int[] shape, double[] values) {

  /** The elements rounded to float: without loss where the dtype is F32. */
  public float[] floats() {
    var result = new float[values.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) values[i];
    }
    return result;
  }

  /** The elements as integers: indices, targets, lengths. */
  public int[] ints() {
    var result = new int[values.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (int) values[i];
      if (result[i] != values[i]) {
        throw new IllegalStateException("golden: not an integer at " + i + ": " + values[i]);
      }
    }
    return result;
  }

  /** The only element of a tensor that has just one, such as a loss. */
  public double item() {
    if (values.length != 1) {
      throw new IllegalStateException("golden: item of a tensor of " + values.length + " elements");
    }
    return values[0];
  }
}
