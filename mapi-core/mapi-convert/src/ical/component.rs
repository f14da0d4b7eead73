//! A component: properties and components within BEGIN and END, in order. Source: RFC 5545 3.6.

use super::{Property, property::Source};

/// A component. One that was read keeps the octets of its BEGIN and END.
#[derive(Clone, Debug)]
pub struct Component {
    pub(super) begin: Option<Source>,
    pub(super) end: Option<Source>,
    name: Box<str>,
    /// What is in it, in order.
    pub nodes: Vec<Node>,
}

/// What a component consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A property.
    Property(Property),
    /// A component.
    Component(Component),
}

impl Component {
    /// A new, empty component.
    pub fn new(name: &str) -> Self {
        Self {
            begin: None,
            end: None,
            name: name.into(),
            nodes: Vec::new(),
        }
    }

    /// Its name, as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has this name, compared without ASCII case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The line of its BEGIN, from 1; 0 of a new one.
    pub fn line(&self) -> usize {
        self.begin.as_ref().map_or(0, |source| source.line)
    }

    /// Its own properties, in order.
    pub fn properties(&self) -> impl Iterator<Item = &Property> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Property(property) => Some(property),
            Node::Component(_) => None,
        })
    }

    /// The components in it, in order.
    pub fn components(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Component(component) => Some(component),
            Node::Property(_) => None,
        })
    }

    /// The components in it, in order, to be changed.
    pub fn components_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        self.nodes.iter_mut().filter_map(|node| match node {
            Node::Component(component) => Some(component),
            Node::Property(_) => None,
        })
    }

    /// Every property of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties().filter(move |property| property.is(name))
    }

    /// The first property of a name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties().find(|property| property.is(name))
    }

    /// The first property of a name, to be changed.
    pub fn property_mut(&mut self, name: &str) -> Option<&mut Property> {
        self.nodes.iter_mut().find_map(|node| match node {
            Node::Property(property) if property.is(name) => Some(property),
            _ => None,
        })
    }

    /// The value of the first property of a name, as it stands in the line.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.property(name).map(Property::value)
    }

    /// Adds a property behind the last one.
    pub fn push(&mut self, property: Property) {
        let last = self
            .nodes
            .iter()
            .rposition(|node| matches!(node, Node::Property(_)));
        let place = last.map_or(0, |last| last + 1);
        self.nodes.insert(place, Node::Property(property));
    }

    /// Adds a component at the end.
    pub fn push_component(&mut self, component: Self) {
        self.nodes.push(Node::Component(component));
    }

    /// Puts a property in the place of the first of its name, or adds it; others of the name go.
    pub fn set(&mut self, property: Property) {
        let name = property.name().to_owned();
        match self.property_mut(&name) {
            Some(old) if *old == property => {}
            Some(old) => *old = property,
            None => return self.push(property),
        }
        let mut seen = false;
        self.nodes.retain(|node| match node {
            Node::Property(property) if property.is(&name) => !std::mem::replace(&mut seen, true),
            _ => true,
        });
    }

    /// Takes every property of a name away.
    pub fn remove(&mut self, name: &str) {
        self.nodes
            .retain(|node| !matches!(node, Node::Property(property) if property.is(name)));
    }
}

impl PartialEq for Component {
    /// Whether they say the same in the same order, however it was written.
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.name) && self.nodes == other.nodes
    }
}
