pub(crate) mod life_moment;
pub(crate) mod loyalty;
pub(crate) mod next_change;
pub(crate) mod pmg;
pub(crate) mod rfm;
