//! Purchase models: rate, dropout and regularity of purchasing from counts and dates.
//!
//! A customer who is not under contract is seen only through purchases. These models read, from
//! the number of purchase days and the dates of the first and the last, how often a customer
//! buys and whether they still do. All share one idea: purchases at a rate that differs between
//! customers by a gamma distribution, until the customer silently leaves.
//!
//! | family | gaps | leaves | source |
//! |---|---|---|---|
//! | `nbd` | exponential | never | Ehrenberg 1959 |
//! | `pareto_nbd` | exponential | at any moment, at a rate that differs by a gamma distribution | Schmittlein, Morrison, Colombo 1987 |
//! | `bg_nbd` | exponential | after a repeat purchase, with a probability that differs by a beta distribution | Fader, Hardie, Lee 2005 |
//! | `mbg_nbd` | exponential | likewise, after the first purchase too | Batislam, Denizel, Filiztekin 2007 |
//! | `bg_cnbd_k`, `mbg_cnbd_k` | Erlang-k: regular | as the two before | Platzer, Reutterer 2016 |
//!
//! Way of use: [`Cells`] gathers the customers, [`fit`] makes a [`PurchaseModel`] of them,
//! [`Scorer`] answers for one [`CustomerSummary`].

mod beta_geometric;
mod cells;
mod choose;
mod design;
mod fit;
mod model;
mod options;
mod pareto_nbd;
mod predictive;
mod sample;
mod score;
mod search;
mod uncertainty;

pub use cells::{Cells, CustomerSummary, Skipped};
pub use fit::fit;
pub(crate) use fit::fit_scorer;
pub use model::{Candidate, PurchaseModel};
pub use options::FitOptions;
pub use predictive::NextPurchase;
pub use score::{Scorer, check_horizon};
pub use uncertainty::ParameterUncertainty;

/// The largest Erlang shape tried, as in BTYDplus.
pub const MAX_K: u32 = 12;

/// A family of purchase models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Negative binomial: nobody ever leaves.
    Nbd,
    /// Beta-geometric / NBD.
    BgNbd,
    /// Modified beta-geometric / NBD.
    MbgNbd,
    /// Pareto / NBD.
    ParetoNbd,
    /// BG/NBD with Erlang-k gaps.
    BgCnbdK,
    /// MBG/NBD with Erlang-k gaps.
    MbgCnbdK,
}

impl Family {
    /// All families, the simpler first.
    pub const ALL: [Family; 6] =
        [Self::Nbd, Self::BgNbd, Self::MbgNbd, Self::ParetoNbd, Self::BgCnbdK, Self::MbgCnbdK];

    /// Its code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nbd => "nbd",
            Self::BgNbd => "bg_nbd",
            Self::MbgNbd => "mbg_nbd",
            Self::ParetoNbd => "pareto_nbd",
            Self::BgCnbdK => "bg_cnbd_k",
            Self::MbgCnbdK => "mbg_cnbd_k",
        }
    }

    /// The family of a code.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Whether it has a shape k.
    #[must_use]
    pub fn is_erlang(self) -> bool {
        matches!(self, Self::BgCnbdK | Self::MbgCnbdK)
    }

    /// The names of the fitted parameters, in the order of the covariance matrix.
    #[must_use]
    pub fn parameter_names(self) -> &'static [&'static str] {
        match self {
            Self::Nbd => &["r", "alpha"],
            Self::ParetoNbd => &["r", "alpha", "s", "beta"],
            _ => &["r", "alpha", "a", "b"],
        }
    }

    /// Whether a customer may leave right after the first purchase (d = 1 in the formulas).
    pub(crate) fn leaves_at_zero(self) -> bool {
        matches!(self, Self::MbgNbd | Self::MbgCnbdK)
    }
}
