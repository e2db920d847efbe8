package org.example

import carousel.autograd.Grad
import carousel.nn.Layer
import carousel.nn.init.Init
import carousel.nn.io.Checkpoints
import carousel.nn.io.Parts
import carousel.nn.layer.Linear
import carousel.nn.loss.Loss
import carousel.nn.optim.Adam
import carousel.nn.recurrent.GruResetAfter
import carousel.nn.recurrent.Recurrent
import carousel.tensor.DType
import carousel.tensor.Philox
import carousel.tensor.Tensor
import carousel.tensor.TensorScope
import java.nio.file.Files
import java.nio.file.Path

const val STEPS = 400
const val LENGTH = 20
const val ROWS = 64

/**
 * A layer is a Java record, which `@JvmRecord` makes of a data class; its components are where weights are
 * found.
 */
@JvmRecord
data class Model(val gru: Recurrent<*>, val head: Linear) : Layer {
    /** Logits `[T,N]` of whether the bits so far are odd in number. */
    fun logits(bits: Tensor): Tensor = head.apply(gru.apply(bits)).squeeze(Tensor.LAST)

    companion object {
        fun of(rng: Philox): Model {
            val init = Init.xavierUniform()
            return Model(Recurrent.of(GruResetAfter.of(1, 24, init, rng)), Linear.of(24, 1, init, rng))
        }
    }
}

/** Operators are a line each. */
operator fun Tensor.minus(other: Tensor): Tensor = sub(other)

/** Bits `[T,N,1]` in ±1, and `[T,N]` whether those so far are odd in number. */
class Batch(rng: Philox) {
    private val ones = rng.bernoulli(0.5, LENGTH, ROWS).cast(DType.F32)
    val bits: Tensor = ones.mul(2.0).sub(1.0).unsqueeze(2)
    val odd: Tensor = ones.cumsum(0).remainder(2.0)
}

fun share(logits: Tensor, odd: Tensor): Double = logits.gt(0.0).eq(odd.gt(0.5)).cast(DType.F64).mean().item()

/** Trains in a folder up to a step, from where it was left, and gives the model. */
fun train(folder: Path, until: Int): Model {
    val model = Model.of(Philox.of(1))
    val parameters = model.parameters()
    val adam = Adam.of(parameters, 0.01)
    val parts = Parts().with("model", parameters).with("adam", adam)
    val checkpoints = Checkpoints(folder, 2)
    val start = checkpoints.restore(parts, System.err::println).toInt()
    for (step in start until until) {
        TensorScope.open().use { // frees what the step makes
            val batch = Batch(Philox.of(2).split(step.toLong()))
            val gradients =
                Grad.of({ Loss.bceWithLogits(model.logits(batch.bits), batch.odd) }, parameters)
            adam.step(gradients.clipNorm(1.0))
            if (step % 100 == 99) println("step ${step + 1}  loss %.4f".format(gradients.value().item()))
        }
        if (step % 100 == 99) checkpoints.save(step + 1L, parts)
    }
    return model
}

fun main() {
    TensorScope.open().use { // owns the weights
        val whole = train(Files.createTempDirectory("whole"), STEPS)
        val folder = Files.createTempDirectory("halves")
        train(folder, 250) // 50 steps are lost, and made again
        val halves = train(folder, STEPS)

        TensorScope.open().use {
            val batch = Batch(Philox.of(3))
            val logits = whole.logits(batch.bits)
            println("parity of new bits: %.2f %% right, guessing 50 %%".format(100 * share(logits, batch.odd)))
            val difference = (logits - halves.logits(batch.bits)).abs().max().item()
            println("stopped and resumed: " + if (difference == 0.0) "the same bits" else "differs by $difference")
        }
    }
}
