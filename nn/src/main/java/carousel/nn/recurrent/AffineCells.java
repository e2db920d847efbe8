package carousel.nn.recurrent;

import carousel.tensor.Tensor;

/** Which cells project their input as {@link AffineCell} says, and have not said otherwise. */
final class AffineCells {
  private static final ClassValue<Boolean> AFFINE =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          try {
            return type.getMethod("project", Tensor.class).getDeclaringClass() == AffineCell.class;
          } catch (NoSuchMethodException e) {
            return false;
          }
        }
      };

  private AffineCells() {}

  static boolean isAffine(Cell<?> cell) {
    return AFFINE.get(cell.getClass());
  }
}
