//! The list prices of models, as far as they are known.

use api::{Cents, Parameters, dollars};
use contract::{Resolution, Topology};

use super::order::Order;
use super::service::Service;

/// Returns the orders whose prices `--check` shows.
fn typical_orders() -> [(&'static str, Order); 4] {
    let textured = Parameters {
        generate_texture: Some(true),
        ..Parameters::default()
    };
    let low_poly = Parameters {
        resolution: Some(Resolution::LowPoly),
        ..textured.clone()
    };
    let quads = Parameters {
        topology: Some(Topology::Quads),
        ..textured.clone()
    };
    [
        ("untextured", Order::new(&Parameters::default())),
        ("textured", Order::new(&textured)),
        ("textured low_poly", Order::new(&low_poly)),
        ("textured quads", Order::new(&quads)),
    ]
}

/// The prices of a service's models.
pub struct Prices<'a> {
    service: &'a dyn Service,
    /// The configured price of each model.
    fixed: Option<Cents>,
}

impl<'a> Prices<'a> {
    /// Creates the prices of a service. `fixed` replaces its list prices.
    pub fn new(service: &'a dyn Service, fixed: Option<Cents>) -> Self {
        Self { service, fixed }
    }

    /// Returns the price of a model, or `None` if it is unknown.
    pub fn of(&self, order: &Order) -> Option<Cents> {
        self.fixed.or_else(|| self.service.price(order))
    }

    /// Returns the name of the first typical order whose price is unknown.
    pub fn unknown(&self) -> Option<&'static str> {
        let mut orders = typical_orders().into_iter();
        let unknown = orders.find(|(_, order)| self.of(order).is_none());
        unknown.map(|(name, _)| name)
    }

    /// Describes the prices of the typical orders, with their source.
    pub fn describe(&self) -> String {
        if let Some(price) = self.fixed {
            return format!("{} a model (price_usd)", dollars(price));
        }
        let prices = typical_orders().into_iter().map(|(name, order)| {
            let price = self.of(&order).map(dollars);
            let price = price.as_deref().unwrap_or("unknown price");
            format!("{name} {price}")
        });
        let prices: Vec<_> = prices.collect();
        format!("{} ({})", prices.join(", "), self.service.price_source())
    }
}
