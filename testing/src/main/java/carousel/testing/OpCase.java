package carousel.testing;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Inputs to try an op on.
 *
 * @param operands what the inputs are
 * @param type the floating type
 * @param sizes of the letters among their axes
 */
record OpCase(List<Operand> operands, DType type, Map<String, Integer> sizes) {
  /**
   * Odd sizes for all axes first; then each axis with each other size; then all axes with one.
   *
   * @param sizes what axes may be
   */
  static List<OpCase> all(List<Operand> operands, DType type, List<Integer> sizes) {
    Set<String> letters = new LinkedHashSet<>();
    operands.forEach(operand -> letters.addAll(operand.letters()));
    List<Integer> many = sizes.stream().filter(n -> n > 1).toList();
    List<Integer> base = many.isEmpty() ? sizes : many;
    Map<String, Integer> plain = new LinkedHashMap<>();
    for (String letter : letters) {
      plain.put(letter, base.get(plain.size() % base.size()));
    }
    Set<Map<String, Integer>> all = new LinkedHashSet<>();
    all.add(plain);
    for (String letter : letters) {
      for (int size : sizes) {
        Map<String, Integer> other = new LinkedHashMap<>(plain);
        other.put(letter, size);
        all.add(other);
      }
    }
    for (int size : sizes) {
      Map<String, Integer> equal = new LinkedHashMap<>(plain);
      equal.replaceAll((letter, n) -> size);
      all.add(equal);
    }
    List<OpCase> cases = new ArrayList<>();
    all.forEach(chosen -> cases.add(new OpCase(operands, type, chosen)));
    return cases;
  }

  /** The inputs, always the same, in the innermost scope, on its device. */
  Tensor[] inputs() {
    Device device = TensorScope.current().device();
    Tensor[] inputs = new Tensor[operands.size()];
    try (var scope = TensorScope.open(Device.cpu())) {
      var rng = Philox.of(17);
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] = scope.keep(operands.get(i).tensor(sizes, type, rng.split(i)).to(device).copy());
      }
    }
    return inputs;
  }

  @Override
  public String toString() {
    var text = new StringBuilder(type.toString());
    for (Operand operand : operands) {
      text.append(' ').append(operand.shape(sizes));
    }
    return text.toString();
  }
}
