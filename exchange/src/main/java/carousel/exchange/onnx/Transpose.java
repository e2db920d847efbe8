package carousel.exchange.onnx;

import carousel.nn.Layer;
import carousel.tensor.Tensor;

/**
 * Swaps time and batch: {@code x [T,N,..] → y [N,T,..]}, {@code y[n,t] = x[t,n]}; and back.
 *
 * <p>Layers read {@code [T,N,D]}. Of a model that is given its batch first, by {@code layout = 1} or
 * PyTorch's {@code batch_first}, a {@link Chain} says so: {@code Chain.of(new Transpose(), lstm, new
 * Transpose())} reads and gives {@code [N,T,..]}.
 */
public record Transpose() implements Layer {
  /**
   * Swaps the first two axes.
   *
   * @param x {@code [T,N,..]}
   * @return {@code [N,T,..]}, a view
   */
  public Tensor apply(Tensor x) {
    return x.transpose(0, 1);
  }
}
