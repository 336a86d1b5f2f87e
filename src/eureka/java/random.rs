//! `java.util.Random`: the 48-bit linear congruential generator, JDK 8 to 25.

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;

/// `java.util.Random` with the draws Eureka makes.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// `new Random(long)`.
    #[must_use]
    pub const fn new(seed: i64) -> Self {
        Self { state: (seed as u64 ^ MULTIPLIER) & MASK }
    }

    /// `nextInt(int)`: uniform in `0..bound`. Consumes at least one draw, also for a bound of 1.
    ///
    /// # Panics
    /// If `bound` is not positive.
    pub fn next_int(&mut self, bound: i32) -> i32 {
        assert!(bound > 0, "Random.nextInt needs a positive bound, not {bound}");
        let mask = bound - 1;
        let mut bits = self.next_31();
        if bound & mask == 0 {
            return ((i64::from(bound) * i64::from(bits)) >> 31) as i32;
        }
        loop {
            let value = bits % bound;
            if bits.wrapping_sub(value).wrapping_add(mask) >= 0 {
                return value;
            }
            bits = self.next_31();
        }
    }

    /// `next(31)`: a non-negative 31-bit number.
    fn next_31(&mut self) -> i32 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        (self.state >> 17) as i32
    }
}
