//! Purchase models: rate, dropout and regularity of purchasing from counts and dates.
